// FETCH and UID FETCH (RFC 9051 sections 6.4.5 and 6.4.9): rows are read a batch at a time, \Seen is set before the
// data is written, responses come in rising order.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/fetch/fetch_writer.hpp"
#include "proto/imap/uid_sets.hpp"

#include <algorithm>
#include <limits>

namespace pp::imap {

namespace {

// Mails asked for at once. A header block may be mail::header_block_bytes_max long, so fewer are held; and \Seen is
// set for a batch before its bodies go out, so a connection that breaks leaves few mails marked that were not read.
constexpr std::size_t rows_with_headers_max = 64;
constexpr std::size_t rows_with_bodies_max = 32;
static_assert(rows_with_headers_max <= rows_per_question_max && rows_with_bodies_max <= rows_per_question_max);

std::size_t batch_rows(const fetch_request& request) {
    if (request.reads_body() || request.sets_seen()) return rows_with_bodies_max;
    return request.needs_header() ? rows_with_headers_max : rows_per_question_max;
}

// RFC 9394 section 3.3: places among the mails of the set, in the order of their UIDs.
mail::uid_set part_of(const mail::uid_set& uids, const partial_range& range) {
    auto [skip, last] = range.of(uids.count());
    auto left = last - skip;
    mail::uid_set part;
    for (const auto& [first, end] : uids.ranges()) {
        const std::uint64_t here = std::uint64_t{end} - first + 1;
        const auto passed = std::min<std::uint64_t>(skip, here), taken = std::min<std::uint64_t>(left, here - passed);
        if (taken > 0)
            part.add(static_cast<std::uint32_t>(first + passed),
                     static_cast<std::uint32_t>(first + passed + taken - 1));
        skip -= passed;
        left -= taken;
    }
    return part;
}

// Sets \Seen where it is missing; the rows take the new flags, `changed` gets their UIDs. A store that cannot write
// (full disk) does not keep anybody from reading: the mails stay unseen (02-architecture 2.6).
wire::task<> set_seen(connection& c, std::vector<message_row>& rows, mail::uid_set& changed) {
    store_flags question;
    for (const auto& row : rows)
        if (!(row.flags.system & mail::seen)) question.uids.add(row.uid);
    if (question.uids.empty()) co_return;
    question.mode = store_mode::add;
    question.flags.system = mail::seen;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer); why && why->bye) {
        c.refused(*why);
        co_return;
    }
    const auto* stored = std::get_if<stored_flags>(&answer);
    if (stored == nullptr) co_return;
    for (const auto& now : stored->rows) {
        const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.uid == now.uid; });
        if (row == rows.end()) continue;
        row->flags = now.flags;
        row->modseq = now.modseq;
        changed.add(now.uid);
    }
}

// FETCH n UID: what the client was told. It learns the UID of a mail that another session has removed meanwhile too,
// as RFC 2180 section 4.1.1 allows, and goes on to hear of the EXPUNGE where that may be told.
wire::task<> tell_uids(connection& c, const mail::uid_set& uids) {
    for (const auto uid : uids.values()) {
        const auto number = c.selected->numbers.number_of(uid);
        c.send(c.fetch_head(uid, number) + "UID " + std::to_string(uid) + ")\r\n");
        co_await c.drained();
        if (c.over) co_return;
    }
}

// Leaves of `uids` what has changed, and tells what went of those asked for, before any FETCH response (RFC 7162
// section 3.2.6). Whole mailboxes are asked for in this way: only what has changed is read.
wire::task<std::optional<reply>> only_changed(connection& c, const fetch_request& request, const sequence_set& set,
                                              mail::uid_set& uids) {
    read_history question;
    question.since_modseq = *request.changed_since;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    const auto& history = std::get<mailbox_history>(answer);
    uids = common(uids, history.changed);
    if (request.vanished) {
        // "*" means any UID here: what went may lie above the last mail that is left. resolve() has parsed the set
        // before.
        constexpr auto any = std::numeric_limits<std::uint32_t>::max();
        const auto asked = set.saved_result() ? c.selected->saved_result() : *mail::parse_uid_set(set.text, any);
        // What has a number here is told as gone later, by VANISHED without EARLIER.
        const auto gone = common(history.vanished, asked);
        c.tell_vanished(without(gone, c.selected->numbers.present(gone)), true);
    }
    co_return std::nullopt;
}

}  // namespace

wire::task<reply> run_fetch(connection& c, command& cmd) {
    auto& args = cmd.args;
    args.space();
    const auto set = args.sequence();
    args.space();
    const auto request = parse_fetch_request(args);
    args.end();
    if (request.partial && !cmd.uid) args.fail("PARTIAL is for UID FETCH");   // RFC 9394 section 3.3
    if (args.failed()) co_return bad_arguments(cmd);
    if (request.vanished && !(cmd.uid && c.qresync))   // RFC 7162 section 3.2.6
        co_return bad(cmd.uid ? "VANISHED needs ENABLE QRESYNC" : "VANISHED is for UID FETCH");
    auto who = c.selected->resolve(set, cmd.uid);
    if (const auto* sentence = std::get_if<std::string>(&who)) co_return bad(*sentence);
    auto uids = std::get<mail::uid_set>(std::move(who));
    if (request.partial) uids = part_of(uids, *request.partial);
    // RFC 7162 section 3.1: asking for mod-sequences makes the client one that knows of them.
    if (request.has(fetch_kind::modseq)) c.enable_condstore();
    if (request.changed_since) {
        const auto wrong = co_await only_changed(c, request, set, uids);
        if (wrong) co_return *wrong;
    }

    if (request.only_uid() && !cmd.uid) {
        co_await tell_uids(c, uids);
        co_return ok("FETCH completed");
    }
    const bool sets_seen = request.sets_seen() && !c.selected->read_only;
    fetch_writer writer(c, request, cmd.uid);
    bool vanished = false;
    uid_set_walk walk(uids);
    for (auto batch = walk.next(batch_rows(request)); !batch.empty(); batch = walk.next(batch_rows(request))) {
        const auto asked = batch.count();
        read_rows question;
        question.uids = std::move(batch);
        question.with_structure = request.needs_index() && request.needs_only_body_structure();
        question.with_encoded_index =
            request.needs_index() && request.needs_only_structure() && !question.with_structure;
        question.with_index = request.needs_index() && !question.with_encoded_index && !question.with_structure;
        question.with_header = request.needs_header();
        question.with_thread = request.has(fetch_kind::thread_id);
        question.listed_header = question.with_header && request.needs_only_listed();
        question.changed_since = request.changed_since;
        auto answer = co_await c.ask(std::move(question));
        if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
        auto rows = std::get<std::vector<message_row>>(std::move(answer));
        if (rows.size() < asked && !request.changed_since) vanished = true;
        if (const auto later = drop_left_out(rows)) walk.go_back_to(*later);
        mail::uid_set changed;
        if (sets_seen) co_await set_seen(c, rows, changed);
        for (const auto& row : rows) {
            if (c.over) co_return ok({});
            const bool flags_changed = changed.contains(row.uid);
            if (writer.write_at_once(row, flags_changed)) co_await c.drained();
            else co_await writer.write(row, flags_changed);
            if (writer.stop()) co_return writer.trouble() ? *writer.trouble() : ok({});
        }
    }
    if (writer.trouble()) co_return *writer.trouble();
    // RFC 9051 section 6.4.9: unknown UIDs are no error; a number the client was given is, when its mail has gone
    // meanwhile (RFC 5530 section 3, EXPUNGEISSUED).
    if ((vanished || writer.some_vanished()) && !cmd.uid)
        co_return no("Some of the messages no longer exist", "EXPUNGEISSUED");
    co_return ok("FETCH completed");
}

}  // namespace pp::imap

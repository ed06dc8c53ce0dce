// STORE and UID STORE (RFC 9051 section 6.4.6; RFC 7162 section 3.1.3 for UNCHANGEDSINCE).
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

// One question is one commit of the store; so many rows fit into memory with ease.
constexpr std::size_t store_uids_max = 16384;

struct store_request {
    sequence_set set;
    store_mode mode = store_mode::replace;
    bool silent = false;
    mail::flags flags;
    std::optional<std::uint64_t> unchanged_since;
};

void unchanged_since(parser& args, store_request& request) {
    args.expect('(');
    if (!args.take_word("UNCHANGEDSINCE")) args.fail("Unknown STORE modifier");
    args.space();
    request.unchanged_since = args.number64();
    args.expect(')');
}

store_request parse_store(parser& args) {
    store_request request;
    args.space();
    request.set = args.sequence();
    args.space();
    if (args.peek() == '(') {
        unchanged_since(args, request);
        args.space();
    }
    if (args.take('+')) request.mode = store_mode::add;
    else if (args.take('-')) request.mode = store_mode::remove;
    const auto item = args.keyword();
    request.silent = item == "FLAGS.SILENT";
    if (!request.silent && item != "FLAGS") args.fail("Only FLAGS can be stored");
    args.space();
    request.flags = args.peek() == '(' ? args.flag_list() : args.flags_bare();
    // Departure: RFC 7162 section 3.1.3 has the modifier before the item; imapflow 1.7.8 writes it behind the flags.
    if (!request.unchanged_since && args.take(' ')) unchanged_since(args, request);
    args.end();
    return request;
}

// RFC 7162 section 3.1.3: the MODSEQ is told even after .SILENT.
void tell_modseq(connection& c, const message_row& row) {
    const auto number = c.selected->numbers.number_of(row.uid);
    if (number == 0) return;
    const auto uid_item = c.uid_only ? std::string() : "UID " + std::to_string(row.uid) + ' ';
    c.send(c.fetch_head(row.uid, number) + uid_item + "MODSEQ (" + std::to_string(row.modseq) + "))\r\n");
    c.selected->give_modseq(row.modseq);
    c.selected->told(row);
}

// Another session has changed this mail and the client has not been told: with .SILENT it takes what it has asked for
// for the whole state, so it is told the flags that its change has really led to. Not before: it would take its own for
// undone.
bool changed_elsewhere(const connection& c, const stored_flags& result, std::uint32_t uid) {
    const auto at = std::lower_bound(result.before.begin(), result.before.end(), std::pair(uid, std::uint64_t(0)));
    if (at == result.before.end() || at->first != uid) return false;
    message_row was;
    was.uid = uid;
    was.modseq = at->second;
    return !c.selected->knows(was);
}

std::string modified_code(const connection& c, const mail::uid_set& modified, bool uid) {
    if (uid) return "MODIFIED " + modified.text();
    mail::uid_set numbers;
    for (const auto one : c.selected->numbers.present(modified).values())
        numbers.add(c.selected->numbers.number_of(one));
    return "MODIFIED " + numbers.text();
}

}  // namespace

wire::task<reply> run_store(connection& c, command& cmd) {
    const auto request = parse_store(cmd.args);
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    const auto who = c.selected->resolve(request.set, cmd.uid);
    if (const auto* why = std::get_if<std::string>(&who)) co_return bad(*why);
    if (c.selected->read_only) co_return no("The mailbox is read-only", "READ-ONLY");
    if (request.unchanged_since) c.enable_condstore();
    const auto news_allowed = cmd.uid ? telling::everything : telling::no_expunge;
    const auto uids = std::get<mail::uid_set>(who).values();
    mail::uid_set modified;
    std::size_t stored = 0;
    for (std::size_t at = 0; at < uids.size(); at += store_uids_max) {
        c.tell_progress(at, uids.size());
        store_flags question;
        for (auto i = at; i < std::min(at + store_uids_max, uids.size()); ++i) question.uids.add(uids[i]);
        question.mode = request.mode;
        question.flags = request.flags;
        question.unchanged_since = request.unchanged_since;
        if (request.silent) question.known_modseq = c.selected->known_modseq();
        const auto answer = co_await c.ask(std::move(question));
        if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
        const auto& result = std::get<stored_flags>(answer);
        modified.add(result.modified);
        stored += result.rows.size();
        if (result.known_to && result.modified.empty()) c.selected->knows_all_to(*result.known_to);
        for (const auto& row : result.rows) {
            if (!request.silent || changed_elsewhere(c, result, row.uid)) c.tell_flags(row, cmd.uid);
            else if (c.condstore) tell_modseq(c, row);
            else c.selected->told(row);
            co_await c.drained();
        }
    }
    // After many: forgets what it has told. After a refusal: the client learns what it did not know (RFC 7162 section
    // 3.1.3).
    if (uids.size() > store_uids_max || !modified.empty()) co_await c.tell_changes(news_allowed, cmd.uid);
    if (c.over) co_return ok("");
    if (!modified.empty()) co_return ok("Conditional STORE refused for some", modified_code(c, modified, cmd.uid));
    // RFC 5530 section 3, EXPUNGEISSUED: another session has removed some of them. RFC 2180 section 4.2: NO where none
    // is left, else the others are as the client wants them; with .SILENT always OK.
    if (!cmd.uid && stored == 0 && !uids.empty() && !request.silent)
        co_return no("The messages no longer exist", "EXPUNGEISSUED");
    if (!cmd.uid && stored < uids.size()) co_return ok("Some of the messages no longer exist", "EXPUNGEISSUED");
    co_return ok("STORE completed");
}

}  // namespace pp::imap

// STORE and UID STORE (RFC 9051 section 6.4.6; RFC 7162 section 3.1.3 for UNCHANGEDSINCE).
#include "proto/imap/commands.hpp"
#include "proto/imap/connection.hpp"

namespace pp::imap {

namespace {

// One question is one commit of the store; so many rows fit into memory with ease.
constexpr std::size_t store_uids_max = 4096;

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
void tell_modseq(connection& c, const message_row& row, bool uid) {
    const auto number = c.selected->numbers.number_of(row.uid);
    if (number == 0) return;
    const auto uid_item = uid || c.rev2 ? "UID " + std::to_string(row.uid) + ' ' : std::string();
    c.untagged(std::to_string(number) + " FETCH (" + uid_item + "MODSEQ (" + std::to_string(row.modseq) + "))");
    c.selected->told(row);
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
    if (request.unchanged_since) c.condstore = true;
    const auto news_allowed = cmd.uid ? telling::everything : telling::no_expunge;
    // With .SILENT the client takes its own change for the whole state: changes of others are told before it.
    if (request.silent && c.has_news()) co_await c.tell_changes(telling::no_expunge, cmd.uid);
    if (c.over) co_return ok("");

    const auto uids = std::get<mail::uid_set>(who).values();
    mail::uid_set modified;
    std::size_t stored = 0;
    for (std::size_t at = 0; at < uids.size(); at += store_uids_max) {
        store_flags question;
        for (auto i = at; i < std::min(at + store_uids_max, uids.size()); ++i) question.uids.add(uids[i]);
        question.mode = request.mode;
        question.flags = request.flags;
        question.unchanged_since = request.unchanged_since;
        const auto answer = co_await c.ask(std::move(question));
        if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
        const auto& result = std::get<stored_flags>(answer);
        modified.add(result.modified);
        stored += result.rows.size();
        for (const auto& row : result.rows) {
            if (!request.silent) c.tell_flags(row, cmd.uid);
            else if (c.condstore) tell_modseq(c, row, cmd.uid);
            else c.selected->told(row);
            co_await c.drained();
        }
    }
    if (uids.size() > store_uids_max) co_await c.tell_changes(news_allowed, cmd.uid);   // forgets what it has told
    if (!modified.empty()) co_return ok("Conditional STORE refused for some", modified_code(c, modified, cmd.uid));
    // RFC 5530 section 3, EXPUNGEISSUED: another session has removed some of them.
    if (!cmd.uid && stored < uids.size()) co_return ok("Some of the mails are gone", "EXPUNGEISSUED");
    co_return ok("STORE completed");
}

}  // namespace pp::imap

// COPY, MOVE and their UID forms (RFC 9051 sections 6.4.7, 6.4.8; RFC 4315 for COPYUID).
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/uid_list.hpp"

namespace pp::imap {

namespace {

wire::task<reply> copy(connection& c, command& cmd, bool move) {
    copy_messages question;
    question.move = move;
    cmd.args.space();
    const auto set = cmd.args.sequence();
    cmd.args.space();
    question.to = cmd.args.mailbox(c.utf8());
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    auto who = c.selected->resolve(set, cmd.uid);
    if (const auto* why = std::get_if<std::string>(&who)) co_return bad(*why);
    question.uids = std::get<mail::uid_set>(std::move(who));
    if (move && c.selected->read_only) co_return no("The mailbox is read-only", "READ-ONLY");
    const std::string done = move ? "MOVE completed" : "COPY completed";
    if (question.uids.empty()) co_return ok(done);
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    const auto& pairs = std::get<copied>(answer);
    // The client named mails that another one has removed meanwhile: it must not believe that they are there now. UIDs
    // of nothing are no error (RFC 9051 section 6.4.9).
    if (pairs.from.empty() && !cmd.uid) co_return no("The messages no longer exist", "EXPUNGEISSUED");
    std::string code;
    if (!pairs.from.empty())
        code = "COPYUID " + std::to_string(pairs.uid_validity) + ' ' + uid_list_text(pairs.from) + ' ' +
               uid_list_text(pairs.to);
    const bool here = c.has_put_here(pairs.uid_validity, pairs.to);
    if (move) {
        // RFC 6851 section 4.3: the code comes before the EXPUNGE responses, in an untagged OK.
        if (!code.empty()) c.untagged("OK [" + code + "] Moved");
        mail::uid_set gone;
        for (const auto uid : pairs.from) gone.add(uid);
        c.tell_expunged(gone);
        code.clear();
        if (!gone.empty()) code = co_await c.highest_modseq_code(cmd.uid);   // RFC 7162 section 3.2: as for EXPUNGE
    }
    if (!c.over && here) co_await c.tell_changes(telling::everything, cmd.uid);
    co_return ok(done, code);
}

}  // namespace

wire::task<reply> run_copy(connection& c, command& cmd) { return copy(c, cmd, false); }
wire::task<reply> run_move(connection& c, command& cmd) { return copy(c, cmd, true); }

}  // namespace pp::imap

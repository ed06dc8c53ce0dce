// EXPUNGE and UID EXPUNGE (RFC 9051 sections 6.4.3, 6.4.9; RFC 7162 sections 3.2.7, 3.2.9).
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"

namespace pp::imap {

wire::task<reply> run_expunge(connection& c, command& cmd) {
    expunge_messages question;
    if (cmd.uid) {
        cmd.args.space();
        const auto set = cmd.args.sequence();
        cmd.args.end();
        if (cmd.args.failed()) co_return bad_arguments(cmd);
        const auto who = c.selected->resolve(set, true);
        if (const auto* why = std::get_if<std::string>(&who)) co_return bad(*why);
        question.uids = std::get<mail::uid_set>(who);
    }
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (c.selected->read_only) co_return no("The mailbox is read-only", "READ-ONLY");
    if (question.uids && question.uids->empty()) co_return ok("EXPUNGE completed");
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    const auto& gone = std::get<mail::uid_set>(answer);
    if (gone.empty()) co_return ok("EXPUNGE completed");
    c.tell_expunged(gone);
    const auto code = co_await c.highest_modseq_code(cmd.uid);
    co_return ok("EXPUNGE completed", code);
}

}  // namespace pp::imap

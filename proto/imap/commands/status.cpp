// STATUS (RFC 9051 section 6.3.11).
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/status_items.hpp"

#include <algorithm>

namespace pp::imap {

wire::task<reply> run_status(connection& c, command& cmd) {
    get_status question;
    cmd.args.space();
    question.name = cmd.args.mailbox(c.utf8());
    cmd.args.space();
    const auto items = parse_status_items(cmd.args);
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (asks_modseq(items)) c.enable_condstore();   // RFC 7162 section 3.1
    question.with_deleted_bytes = std::find(items.begin(), items.end(), status_item::deleted_storage) != items.end();
    const auto name = question.name;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    c.untagged(status_line(c, name, items, std::get<mailbox_status>(answer)));
    co_return ok("STATUS completed");
}

}  // namespace pp::imap

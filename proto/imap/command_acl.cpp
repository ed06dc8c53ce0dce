// MYRIGHTS, LISTRIGHTS, GETACL, SETACL, DELETEACL (RFC 4314). An account belongs to one user, who has all rights there
// are; there is nobody to give any to, so the two that change lists are refused.
#include "proto/imap/access_rights.hpp"
#include "proto/imap/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/response.hpp"

#include <algorithm>

namespace pp::imap {

namespace {
// RFC 4314 section 7: lower-case letters and digits.
bool is_rights_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}
reply refused_change() { return no("The mailboxes of an account cannot be shared", "NOPERM"); }
}  // namespace

wire::task<reply> run_myrights(connection& c, command& cmd) {
    get_owner question;
    cmd.args.space();
    question.mailbox = cmd.args.mailbox(c.utf8());
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    const auto name = question.mailbox;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    c.untagged("MYRIGHTS " + mailbox_text(name, c.utf8()) + ' ' + std::string(rights_of(name)));
    co_return ok("MYRIGHTS completed");
}

wire::task<reply> run_getacl(connection& c, command& cmd) {
    get_owner question;
    cmd.args.space();
    question.mailbox = cmd.args.mailbox(c.utf8());
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    const auto name = question.mailbox;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    c.untagged("ACL " + mailbox_text(name, c.utf8()) + ' ' + astring_text(std::get<std::string>(answer), c.utf8()) + ' ' +
               std::string(rights_of(name)));
    co_return ok("GETACL completed");
}

// The owner's rights belong together and cannot be taken away; anybody else's are none.
wire::task<reply> run_listrights(connection& c, command& cmd) {
    get_owner question;
    cmd.args.space();
    question.mailbox = cmd.args.mailbox(c.utf8());
    cmd.args.space();
    const auto who = cmd.args.astring();
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    const auto name = question.mailbox;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    const bool owner = equal_case(who, std::get<std::string>(answer));
    c.untagged("LISTRIGHTS " + mailbox_text(name, c.utf8()) + ' ' + astring_text(who, c.utf8()) + ' ' +
               (owner ? std::string(rights_of(name)) : "\"\""));
    co_return ok("LISTRIGHTS completed");
}

wire::task<reply> run_setacl(connection& c, command& cmd) {
    cmd.args.space();
    cmd.args.mailbox(c.utf8());
    cmd.args.space();
    cmd.args.astring();
    cmd.args.space();
    auto rights = cmd.args.astring();
    cmd.args.end();
    if (rights.starts_with('+') || rights.starts_with('-')) rights.erase(0, 1);
    if (!is_rights_text(rights)) cmd.args.fail("Unknown rights");
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    co_return refused_change();
}

wire::task<reply> run_deleteacl(connection& c, command& cmd) {
    cmd.args.space();
    cmd.args.mailbox(c.utf8());
    cmd.args.space();
    cmd.args.astring();
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    co_return refused_change();
}

}  // namespace pp::imap

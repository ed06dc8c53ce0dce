// MYRIGHTS, LISTRIGHTS, GETACL, SETACL, DELETEACL (RFC 4314). An account belongs to one user, who has all rights there
// are; there is nobody to give any to, so the two that change lists are refused.
#include "proto/imap/grammar/access_rights.hpp"
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/response.hpp"

#include <algorithm>
#include <string>
#include <variant>

namespace pp::imap {

namespace {
// RFC 4314 section 7: lower-case letters and digits.
bool is_rights_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// Who owns a mailbox that is there; else how the command ends.
wire::task<std::variant<std::string, reply>> owner_of(connection& c, command& cmd, std::string mailbox) {
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    get_owner question;
    question.mailbox = std::move(mailbox);
    auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    co_return std::get<std::string>(std::move(answer));
}

reply refused_change() { return no("The mailboxes of an account cannot be shared", "NOPERM"); }
}  // namespace

wire::task<reply> run_myrights(connection& c, command& cmd) {
    cmd.args.space();
    const auto name = cmd.args.mailbox(c.utf8());
    cmd.args.end();
    const auto owner = co_await owner_of(c, cmd, name);
    if (const auto* over = std::get_if<reply>(&owner)) co_return *over;
    c.untagged("MYRIGHTS " + mailbox_text(name, c.utf8()) + ' ' + std::string(rights_of(name)));
    co_return ok("MYRIGHTS completed");
}

wire::task<reply> run_getacl(connection& c, command& cmd) {
    cmd.args.space();
    const auto name = cmd.args.mailbox(c.utf8());
    cmd.args.end();
    const auto owner = co_await owner_of(c, cmd, name);
    if (const auto* over = std::get_if<reply>(&owner)) co_return *over;
    c.untagged("ACL " + mailbox_text(name, c.utf8()) + ' ' + astring_text(std::get<std::string>(owner), c.utf8()) +
               ' ' + std::string(rights_of(name)));
    co_return ok("GETACL completed");
}

// The owner's rights belong together and cannot be taken away; anybody else's are none.
wire::task<reply> run_listrights(connection& c, command& cmd) {
    cmd.args.space();
    const auto name = cmd.args.mailbox(c.utf8());
    cmd.args.space();
    const auto who = cmd.args.astring();
    cmd.args.end();
    const auto owner = co_await owner_of(c, cmd, name);
    if (const auto* over = std::get_if<reply>(&owner)) co_return *over;
    const bool all = equal_case(who, std::get<std::string>(owner));
    c.untagged("LISTRIGHTS " + mailbox_text(name, c.utf8()) + ' ' + astring_text(who, c.utf8()) + ' ' +
               (all ? std::string(rights_of(name)) : "\"\""));
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

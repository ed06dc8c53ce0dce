// GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208). There is one quota root, "": the account. Its limits stand in the
// configuration and cannot be changed by a client.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/response.hpp"

namespace pp::imap {

namespace {

constexpr std::uint64_t storage_unit_bytes = 1024;   // RFC 9208 section 5.1

std::uint64_t units(std::uint64_t bytes) { return bytes / storage_unit_bytes + (bytes % storage_unit_bytes != 0); }

std::string quota_line(const quota& q) {
    std::string list;
    if (q.storage_bytes_max)
        list = "STORAGE " + std::to_string(units(q.storage_used_bytes)) + ' ' +
               std::to_string(*q.storage_bytes_max / storage_unit_bytes);
    if (q.messages_max) {
        if (!list.empty()) list += ' ';
        list += "MESSAGE " + std::to_string(q.messages_used) + ' ' + std::to_string(*q.messages_max);
    }
    return "QUOTA \"\" (" + list + ')';
}

}  // namespace

wire::task<reply> run_getquota(connection& c, command& cmd) {
    cmd.args.space();
    const auto root = cmd.args.astring();
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (!root.empty()) co_return no("There is no such quota root", "NONEXISTENT");
    get_quota question;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    c.untagged(quota_line(std::get<quota>(answer)));
    co_return ok("GETQUOTA completed");
}

wire::task<reply> run_getquotaroot(connection& c, command& cmd) {
    cmd.args.space();
    const auto name = cmd.args.mailbox(c.utf8());   // RFC 9208 section 4.1.2: it need not exist
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    get_quota question;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    c.untagged("QUOTAROOT " + mailbox_text(name, c.utf8()) + " \"\"");
    c.untagged(quota_line(std::get<quota>(answer)));
    co_return ok("GETQUOTAROOT completed");
}

wire::task<reply> run_setquota(connection& c, command& cmd) {
    (void)c;
    auto& args = cmd.args;
    args.space();
    args.astring();
    args.space();
    args.expect('(');
    if (!args.take(')')) {
        do {
            args.atom();
            args.space();
            args.number64();
        } while (args.take(' '));
        args.expect(')');
    }
    args.end();
    if (args.failed()) co_return bad_arguments(cmd);
    co_return no("The limits stand in peerpost.toml", "NOPERM");
}

}  // namespace pp::imap

// CAPABILITY, NOOP, CHECK, LOGOUT (RFC 9051 sections 6.1.1 to 6.1.3; CHECK: RFC 3501 section 6.4.1).
#include "proto/imap/capability.hpp"
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"

namespace pp::imap {

wire::task<reply> run_capability(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    c.untagged("CAPABILITY " + capability_text(c));
    co_return ok("CAPABILITY completed");
}

// The polling of clients without IDLE: asks even when there was no news.
wire::task<reply> run_noop(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    co_await c.tell_changes(telling::everything, false);
    co_return ok("NOOP completed");
}

// Everything acknowledged is durable already, so this is NOOP.
wire::task<reply> run_check(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    co_await c.tell_changes(telling::everything, false);
    co_return ok("CHECK completed");
}

wire::task<reply> run_logout(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    c.untagged("BYE Logging out");
    c.leaving = true;
    co_return ok("LOGOUT completed");
}

}  // namespace pp::imap

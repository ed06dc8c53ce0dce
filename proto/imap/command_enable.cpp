// ENABLE (RFC 5161, RFC 9051 section 6.3.1) and NAMESPACE (RFC 2342, RFC 9051 section 6.3.10).
#include "proto/imap/commands.hpp"
#include "proto/imap/connection.hpp"

namespace pp::imap {

wire::task<reply> run_enable(connection& c, command& cmd) {
    std::string enabled;
    do {
        cmd.args.space();
        // RFC 5161 section 3.1: names that are unknown or cannot be enabled are passed over (mutt sends UTF8=ACCEPT).
        if (cmd.args.keyword() == "IMAP4REV2" && enabled.empty()) enabled = " IMAP4rev2";
    } while (!cmd.args.at_end());
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (!enabled.empty()) c.rev2 = true;
    c.untagged("ENABLED" + enabled);
    co_return ok("ENABLE completed");
}

wire::task<reply> run_namespace(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    c.untagged("NAMESPACE ((\"\" \"/\")) NIL NIL");
    co_return ok("NAMESPACE completed");
}

}  // namespace pp::imap

// ENABLE (RFC 5161, RFC 9051 section 6.3.1) and NAMESPACE (RFC 2342, RFC 9051 section 6.3.10).
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"

#include <algorithm>
#include <vector>

namespace pp::imap {

namespace {
struct extension {
    std::string_view name, as_told;
    bool connection::*enabled;
};
constexpr extension extensions[] = {
    {"IMAP4REV2", " IMAP4rev2", &connection::rev2},            // RFC 9051 section 6.3.1
    {"CONDSTORE", " CONDSTORE", &connection::condstore},       // RFC 7162 section 3.1
    {"QRESYNC", " QRESYNC", &connection::qresync},             // RFC 7162 section 3.2.3
    {"UIDONLY", " UIDONLY", &connection::uid_only},            // RFC 9586
    {"METADATA", " METADATA", &connection::metadata_news},     // RFC 5464 section 4.4
    {"UTF8=ACCEPT", " UTF8=ACCEPT", &connection::utf8_accept}, // RFC 6855 section 3
};
}  // namespace

// RFC 5161 section 3.1: names that are unknown or cannot be enabled are passed over, and only those are told that this
// command has enabled.
wire::task<reply> run_enable(connection& c, command& cmd) {
    std::vector<const extension*> asked;
    do {
        cmd.args.space();
        const auto word = cmd.args.keyword();
        for (const auto& one : extensions)
            if (word == one.name && std::find(asked.begin(), asked.end(), &one) == asked.end()) asked.push_back(&one);
    } while (!cmd.args.at_end());
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    std::string enabled;
    const bool knew_modseq = c.condstore;
    for (const auto* one : asked) {
        if (c.*one->enabled) continue;
        c.*one->enabled = true;
        enabled += one->as_told;
    }
    c.untagged("ENABLED" + enabled);
    if (!knew_modseq && (c.condstore || c.qresync)) {
        c.condstore = false;   // so that it is the first enabling command
        c.enable_condstore();
    }
    co_await c.tell_metadata();   // begins to watch
    co_return ok("ENABLE completed");
}

wire::task<reply> run_namespace(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    c.untagged("NAMESPACE ((\"\" \"/\")) NIL NIL");
    co_return ok("NAMESPACE completed");
}

}  // namespace pp::imap

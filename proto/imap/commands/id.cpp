// ID (RFC 2971).
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/response.hpp"

namespace pp::imap {

namespace {
constexpr std::size_t logged_bytes_max = 100;   // of a client's name and version; the rest says nothing more
}

wire::task<reply> run_id(connection& c, command& cmd) {
    auto& args = cmd.args;
    client_id client;
    args.space();
    if (!args.take_word("NIL")) {
        args.expect('(');
        std::size_t pairs = 0;
        if (!args.take(')')) {
            do {
                const auto field = args.quoted_or_literal();
                args.space();
                const auto value = line_text(args.nstring().value_or("NIL")).substr(0, logged_bytes_max);
                if (++pairs > id_pairs_max) args.fail("Too many fields");
                if (equal_case(field, "name")) client.name = value;
                if (equal_case(field, "version")) client.version = value;
            } while (args.take(' '));
            args.expect(')');
        }
    }
    args.end();
    if (args.failed()) co_return bad_arguments(cmd);
    if (!client.name.empty()) co_await c.ask(std::move(client));
    c.untagged("ID (\"name\" \"peerpost\" \"version\" " + string_text(c.options.server_version) + ")");
    co_return ok("ID completed");
}

}  // namespace pp::imap

// COMPRESS DEFLATE (RFC 4978): what both sides send behind the line end of the OK is compressed. The bytes themselves
// are the transport's business.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"

namespace pp::imap {

wire::task<reply> run_compress(connection& c, command& cmd) {
    cmd.args.space();
    const auto mechanism = cmd.args.keyword();
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (mechanism != "DEFLATE") co_return bad("Unknown compression mechanism");
    if (c.compressed) co_return no("DEFLATE is active already", "COMPRESSIONACTIVE");
    // RFC 4978 section 3: the client sends nothing more until it has seen the result. What came all the same is
    // neither clearly compressed nor clearly not.
    if (!c.input().empty()) {
        c.bye("Nothing may follow COMPRESS before its result");
        co_return ok("");
    }
    c.send(cmd.tag + " OK DEFLATE is active from here on\r\n");
    start_compression question;
    co_await c.ask(std::move(question));
    c.compressed = true;
    reply done;
    done.what = reply::kind::sent;
    co_return done;
}

}  // namespace pp::imap

// STARTTLS (RFC 9051 section 6.2.1).
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"

namespace pp::imap {

wire::task<reply> run_starttls(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (c.tls_active) co_return bad("TLS is active already");
    if (!c.options.offer_starttls) co_return bad("TLS is not offered here");
    // 06-security 6.1.3 (CVE-2011-0411): what was sent in the clear behind STARTTLS would be taken for commands of the
    // protected session.
    if (!c.input().empty()) {
        c.bye("Nothing may follow STARTTLS before the handshake");
        co_return ok("");
    }
    c.send(cmd.tag + " OK Begin the TLS negotiation\r\n");
    start_tls question;
    co_await c.ask(std::move(question));
    c.input().consume(c.input().size());   // no byte from before the handshake survives it
    c.tls_active = true;
    reply done;
    done.what = reply::kind::sent;
    co_return done;
}

}  // namespace pp::imap

// LOGIN and AUTHENTICATE (RFC 9051 sections 6.2.2, 6.2.3; RFC 4959 for initial responses);
// the mechanisms are proto/sasl.
#include "crypto/bytes.hpp"
#include "proto/imap/capability.hpp"
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/sasl/authenticate.hpp"

namespace pp::imap {

namespace {

// RFC 5530 section 3, AUTHORIZATIONFAILED: nobody acts for another here.
reply for_another() { return no("Acting for another user is not allowed", "AUTHORIZATIONFAILED"); }
refusal wrong() { return {"AUTHENTICATIONFAILED", std::string(sasl::refused_text)}; }

reply welcome(connection& c) {
    c.logged_in();
    return ok("Logged in", "CAPABILITY " + capability_text(c));
}

reply turned_away(connection& c, const refusal& why) {
    auto refused = c.refused(why);
    if (++c.failed_logins >= failed_logins_max) c.bye("Too many failed logins");
    return refused;
}

// What proto/sasl/authenticate.hpp asks of a protocol.
struct host {
    connection& c;
    refusal why = wrong();   // of the last log_in

    wire::task<std::optional<sasl::client_response>> challenge(std::string_view text) {
        // The space stays when the challenge is empty: RFC 9051 section 7.6, continue-req.
        c.send("+ " + crypto::base64(as_bytes(text)) + "\r\n");
        const auto line = co_await c.read_line(sasl::response_line_bytes_max);
        if (!line) co_return std::nullopt;
        co_return sasl::read_response(*line);
    }
    wire::task<bool> log_in(sasl::credentials who) {
        login question;
        question.user = std::move(who.user);
        question.password = std::move(who.password);
        const auto answer = co_await c.ask(std::move(question));
        if (const auto* no = std::get_if<refusal>(&answer)) why = *no;
        co_return !std::holds_alternative<refusal>(answer);
    }
    template <class E>
    auto ask(E question) { return c.ask(std::move(question)); }
};

reply needs_tls() { return no("Use STARTTLS first", "PRIVACYREQUIRED"); }

}  // namespace

wire::task<reply> run_login(connection& c, command& cmd) {
    sasl::credentials who;
    cmd.args.space();
    who.user = cmd.args.astring();
    cmd.args.space();
    who.password = cmd.args.astring();
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (!c.login_allowed()) co_return needs_tls();
    if (who.user.size() > sasl::plain_field_bytes_max || who.password.size() > sasl::plain_field_bytes_max)
        co_return no("The credentials are too long", "AUTHENTICATIONFAILED");
    host h{c};
    const bool good = co_await h.log_in(std::move(who));
    co_return good ? welcome(c) : turned_away(c, h.why);
}

wire::task<reply> run_authenticate(connection& c, command& cmd) {
    cmd.args.space();
    const auto name = cmd.args.keyword();
    std::optional<sasl::client_response> initial;
    if (cmd.args.take(' ')) initial = sasl::read_initial_response(cmd.args.atom());
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    const auto mechanism = sasl::find_mechanism(name, c.tls_active);
    if (!mechanism) co_return no("This mechanism is not offered");
    if (!c.login_allowed()) co_return needs_tls();
    host h{c};
    const auto outcome = co_await sasl::authenticate(h, *mechanism, c.tls_active, std::move(initial));
    switch (outcome) {
    case sasl::outcome::logged_in: co_return welcome(c);
    case sasl::outcome::refused: co_return turned_away(c, h.why);
    case sasl::outcome::for_another: co_return for_another();
    case sasl::outcome::wrong_binding: co_return no("The channel binding does not fit", "AUTHENTICATIONFAILED");
    case sasl::outcome::malformed: co_return no("The credentials are not well formed", "AUTHENTICATIONFAILED");
    case sasl::outcome::not_base64: co_return bad("The response is not base64");
    case sasl::outcome::cancelled: co_return bad("AUTHENTICATE cancelled");
    case sasl::outcome::over: break;
    }
    co_return ok("");
}

}  // namespace pp::imap

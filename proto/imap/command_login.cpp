// LOGIN and AUTHENTICATE PLAIN, LOGIN (RFC 9051 sections 6.2.2, 6.2.3; RFC 4959 for initial responses).
#include "crypto/bytes.hpp"
#include "proto/imap/capability.hpp"
#include "proto/imap/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/sasl/login.hpp"
#include "proto/sasl/response.hpp"

namespace pp::imap {

namespace {

wire::task<reply> log_in(connection& c, sasl::credentials who) {
    // RFC 5530 section 3, AUTHORIZATIONFAILED: nobody acts for another here.
    if (!sasl::acts_for_itself(who)) co_return no("Acting for another user is not allowed", "AUTHORIZATIONFAILED");
    login question;
    question.user = std::move(who.user);
    question.password = std::move(who.password);
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) {
        auto refused = c.refused(*why);
        if (++c.failed_logins >= failed_logins_max) c.bye("Too many failed logins");
        co_return refused;
    }
    c.logged_in();
    co_return ok("Logged in", "CAPABILITY " + capability_text(c));
}

// One challenge and its answer; nothing for a session that is over.
wire::task<std::optional<sasl::client_response>> challenge(connection& c, std::string_view text) {
    // The space stays when the challenge is empty: RFC 9051 section 7.6, continue-req.
    c.send("+ " + crypto::base64(as_bytes(text)) + "\r\n");
    const auto line = co_await c.read_line(sasl::response_line_bytes_max);
    if (!line) co_return std::nullopt;
    co_return sasl::read_response(*line);
}

reply not_usable(const sasl::client_response& response) {
    return bad(response.what == sasl::client_response::kind::cancelled ? "AUTHENTICATE cancelled"
                                                                      : "The response is not base64");
}

wire::task<reply> authenticate_plain(connection& c, std::optional<sasl::client_response> response) {
    if (!response) response = co_await challenge(c, "");
    if (!response) co_return ok("");
    if (response->what != sasl::client_response::kind::text) co_return not_usable(*response);
    auto who = sasl::parse_plain(response->text);
    if (!who) co_return no("The credentials are not well formed", "AUTHENTICATIONFAILED");
    co_return co_await log_in(c, *std::move(who));
}

wire::task<reply> authenticate_login(connection& c, std::optional<sasl::client_response> response) {
    sasl::login_exchange exchange;
    while (!exchange.challenge().empty()) {
        if (!response) response = co_await challenge(c, exchange.challenge());
        if (!response) co_return ok("");
        if (response->what != sasl::client_response::kind::text) co_return not_usable(*response);
        exchange.respond(response->text);
        response.reset();
    }
    if (exchange.at() != sasl::login_exchange::step::done)
        co_return no("The credentials are not well formed", "AUTHENTICATIONFAILED");
    co_return co_await log_in(c, exchange.result());
}

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
    co_return co_await log_in(c, std::move(who));
}

wire::task<reply> run_authenticate(connection& c, command& cmd) {
    cmd.args.space();
    const auto mechanism = cmd.args.keyword();
    std::optional<sasl::client_response> initial;
    if (cmd.args.take(' ')) initial = sasl::read_initial_response(cmd.args.atom());
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (mechanism != "PLAIN" && mechanism != "LOGIN") co_return no("This mechanism is not offered");
    if (!c.login_allowed()) co_return needs_tls();
    if (mechanism == "PLAIN") co_return co_await authenticate_plain(c, std::move(initial));
    co_return co_await authenticate_login(c, std::move(initial));
}

}  // namespace pp::imap

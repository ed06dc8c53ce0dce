// AUTH (RFC 4954); the mechanisms are proto/sasl.
#include "proto/sasl/authenticate.hpp"
#include "proto/smtp/session_state.hpp"

#include "crypto/bytes.hpp"

namespace pp::smtp {

namespace {

static_assert(auth_line_bytes_max >= sasl::response_line_bytes_max);

reply refused_login() { return {535, "5.7.8", std::string(sasl::refused_text)}; }

}  // namespace

// What proto/sasl/authenticate.hpp asks of a protocol.
struct server_session::state::auth_host {
    state& s;
    reply verdict = refused_login();   // of the last log_in

    wire::task<std::optional<sasl::client_response>> challenge(std::string_view text) {
        s.self.send("334 " + crypto::base64(as_bytes(text)) + "\r\n");
        const auto what = co_await s.read_line(true);
        if (what == got::over || what == got::http) co_return std::nullopt;
        if (what == got::too_long) {   // RFC 4954 section 4
            s.bad({500, "5.5.6", "the response is too long"});
            co_return std::nullopt;
        }
        if (!s.line.ends_with("\r\n")) {
            s.bad({500, "5.5.2", "lines end with CR LF"});
            co_return std::nullopt;
        }
        auto response = sasl::read_response(std::string_view(s.line).substr(0, s.line.size() - 2));
        sasl::wipe(s.line);
        co_return response;
    }
    wire::task<bool> log_in(sasl::credentials who) {
        login question{std::move(who.user), std::move(who.password)};
        verdict = co_await s.self.ask(std::move(question));
        co_return verdict.code == 235;
    }
    template <class E>
    auto ask(E question) {
        verdict = {235, "2.7.0", "welcome"};   // unless the proof is refused
        return s.self.ask(std::move(question));
    }
};

wire::task<> server_session::state::auth(std::string_view argument) {
    if (!options.login_allowed) {
        bad({538, "5.7.11", "say STARTTLS before you log in"});
        co_return;
    }
    if (!greeted || logged_in || mail_open) {   // RFC 4954 section 4: not twice, not during a mail
        bad({503, "5.5.1",
             !greeted    ? "say EHLO first"
             : logged_in ? "you are logged in already"
                         : "not during a mail"});
        co_return;
    }
    const auto command = split_command(argument);   // mechanism and initial response
    const auto mechanism = sasl::find_mechanism(command.verb, options.tls_active);
    if (!mechanism) {
        bad(command.verb.empty() ? reply{501, "5.5.4", "AUTH takes the name of a mechanism"}
                                 : reply{504, "5.5.4", "the mechanisms here are " +
                                                           sasl::offered_mechanisms("", options.tls_active)});
        co_return;
    }
    std::optional<sasl::client_response> initial;
    if (!command.argument.empty()) initial = sasl::read_initial_response(command.argument);
    auth_host host{*this};
    const auto outcome = co_await sasl::authenticate(host, *mechanism, options.tls_active, std::move(initial));
    sasl::wipe(line);
    switch (outcome) {
    case sasl::outcome::logged_in:
        logged_in = true;
        bad_commands = 0;
        say(host.verdict);
        break;
    case sasl::outcome::refused:
        if (host.verdict.code < 400) host.verdict = refused_login();
        if (host.verdict.code >= 500) bad(host.verdict);
        else say(host.verdict);
        break;
    case sasl::outcome::for_another: bad({535, "5.7.8", "one account cannot act for another"}); break;
    case sasl::outcome::wrong_binding: bad({535, "5.7.8", "the channel binding does not fit"}); break;
    case sasl::outcome::malformed: bad({501, "5.5.2", "the response is not one of this mechanism"}); break;
    case sasl::outcome::not_base64: bad({501, "5.5.2", "the response is not base64"}); break;
    case sasl::outcome::cancelled: bad({501, "5.7.0", "login cancelled"}); break;   // RFC 4954 section 4
    case sasl::outcome::over: break;
    }
}

}  // namespace pp::smtp

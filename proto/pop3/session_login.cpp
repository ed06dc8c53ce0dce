// USER and PASS (RFC 1939 section 7), AUTH (RFC 5034); the mechanisms are proto/sasl. The maildrop is opened at once: a
// session that is logged in has one.
#include "crypto/bytes.hpp"
#include "proto/pop3/session_state.hpp"
#include "proto/sasl/authenticate.hpp"

#include <algorithm>

namespace pp::pop3 {

namespace {
refusal wrong() { return {"AUTH", std::string(sasl::refused_text)}; }   // RFC 3206 section 5
}  // namespace

// What proto/sasl/authenticate.hpp asks of a protocol.
struct server_session::state::auth_host {
    state& s;
    refusal why = wrong();   // of the last log_in

    wire::task<std::optional<sasl::client_response>> challenge(std::string_view text) {
        s.say("+ " + crypto::base64(as_bytes(text)));
        const auto what = co_await s.read_line(auth_line_bytes_max);
        if (what == got::over) co_return std::nullopt;
        if (what == got::too_long) {
            s.bad("the response is too long");
            co_return std::nullopt;
        }
        auto response = sasl::read_response(s.line);
        sasl::wipe(s.line);
        co_return response;
    }
    wire::task<bool> log_in(sasl::credentials who) {
        login question{std::move(who.user), std::move(who.password)};
        const auto answer = co_await s.self.ask(std::move(question));
        if (const auto* no = std::get_if<refusal>(&answer)) why = *no;
        co_return !std::holds_alternative<refusal>(answer);
    }
    template <class E>
    auto ask(E question) { return s.self.ask(std::move(question)); }
};

wire::task<> server_session::state::pass(std::string_view password) {
    if (user.empty()) {
        bad("say USER first");
        co_return;
    }
    // Blanks belong to the password: RFC 1939 section 7.
    sasl::credentials who{"", std::exchange(user, {}), std::string(password)};
    sasl::wipe(line);
    if (who.user.size() > sasl::plain_field_bytes_max || who.password.size() > sasl::plain_field_bytes_max) {
        bad("[AUTH] the credentials are too long");
        co_return;
    }
    auth_host host{*this};
    const bool good = co_await host.log_in(std::move(who));
    co_await log_in_done(good, host.why);
}

wire::task<> server_session::state::auth(std::string_view argument) {
    while (argument.ends_with(' ')) argument.remove_suffix(1);
    if (argument.empty()) {   // Outlook sends "AUTH " to see what there is; RFC 5034 leaves the form free
        say("+OK mechanisms follow");
        const auto all = sasl::offered_mechanisms("", options.tls_active);
        for (std::string_view rest = all; !rest.empty();) {
            const auto end = std::min(rest.find(' '), rest.size());
            say(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        say(".");
        co_return;
    }
    const auto blank = std::min(argument.find(' '), argument.size());
    const auto mechanism = sasl::find_mechanism(argument.substr(0, blank), options.tls_active);
    if (!mechanism) {
        bad("the mechanisms here are " + sasl::offered_mechanisms("", options.tls_active));
        co_return;
    }
    std::optional<sasl::client_response> initial;
    if (blank < argument.size()) initial = sasl::read_initial_response(argument.substr(blank + 1));
    user.clear();
    auth_host host{*this};
    const auto outcome = co_await sasl::authenticate(host, *mechanism, options.tls_active, std::move(initial));
    sasl::wipe(line);
    switch (outcome) {
    case sasl::outcome::logged_in: co_await log_in_done(true, host.why); break;
    case sasl::outcome::refused: co_await log_in_done(false, host.why); break;
    case sasl::outcome::for_another: bad("[AUTH] one account cannot act for another"); break;
    case sasl::outcome::wrong_binding: bad("[AUTH] the channel binding does not fit"); break;
    case sasl::outcome::malformed: bad("[AUTH] the response is not one of this mechanism"); break;
    case sasl::outcome::not_base64: bad("the response is not base64"); break;
    case sasl::outcome::cancelled: bad("login cancelled"); break;
    case sasl::outcome::over: break;
    }
}

wire::task<> server_session::state::log_in_done(bool good, const refusal& why) {
    if (!good) {
        bad("[" + why.code + "] " + why.text);
        co_return;
    }
    open_maildrop question;
    auto answer = co_await self.ask(std::move(question));
    if (const auto* no = std::get_if<refusal>(&answer)) {
        refuse(*no);
        over = true;   // logged in without a maildrop: there is no such state
        co_return;
    }
    const auto& found = std::get<std::vector<maildrop_entry>>(answer);
    maildrop.reserve(found.size());
    for (const auto& entry : found) maildrop.push_back({entry});
    logged_in = true;
    bad_commands = 0;
    say("+OK the maildrop has " + std::to_string(maildrop.size()) + " messages");
}

}  // namespace pp::pop3

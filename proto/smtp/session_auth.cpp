// AUTH (RFC 4954) with PLAIN (RFC 4616) and LOGIN.
#include "proto/sasl/login.hpp"
#include "proto/sasl/plain.hpp"
#include "proto/sasl/response.hpp"
#include "proto/smtp/session_state.hpp"

#include "crypto/bytes.hpp"

#include <sodium.h>

#include <algorithm>

namespace pp::smtp {

namespace {

// Passwords do not stay behind in memory that is given back.
void wipe(std::string& secret) {
    sodium_memzero(secret.data(), secret.size());
    secret.clear();
}

static_assert(auth_line_bytes_max >= sasl::response_line_bytes_max);

reply cannot_decode() { return {501, "5.5.2", "the response is not base64"}; }

}  // namespace

wire::task<> server_session::state::auth(std::string_view argument) {
    if (!options.login_allowed) {
        bad({538, "5.7.11", "say STARTTLS before you log in"});
        co_return;
    }
    if (!greeted || logged_in || mail_open) {   // RFC 4954 section 4: not twice, not during a mail
        bad({503, "5.5.1", !greeted ? "say EHLO first" : logged_in ? "you are logged in already" : "not during a mail"});
        co_return;
    }
    const auto command = split_command(argument);   // mechanism and initial response
    if (command.verb != "PLAIN" && command.verb != "LOGIN") {
        bad(command.verb.empty() ? reply{501, "5.5.4", "AUTH takes the name of a mechanism"}
                                 : reply{504, "5.5.4", "the mechanisms here are PLAIN and LOGIN"});
        co_return;
    }
    std::string initial;
    const bool has_initial = !command.argument.empty();
    if (has_initial) {
        auto response = sasl::read_initial_response(command.argument);
        if (response.what != sasl::client_response::kind::text) {
            bad(cannot_decode());
            co_return;
        }
        initial = response.text;
        wipe(response.text);
    }
    if (command.verb == "PLAIN") co_await auth_plain(std::move(initial), has_initial);
    else co_await auth_login(std::move(initial), has_initial);
    wipe(line);
}

wire::task<> server_session::state::auth_plain(std::string initial, bool has_initial) {
    if (!has_initial) {
        const bool goes_on = co_await challenge("", initial);
        if (!goes_on) co_return;
    }
    auto who = sasl::parse_plain(initial);
    wipe(initial);
    if (!who) {
        bad({501, "5.5.2", "the response is not one of PLAIN"});
        co_return;
    }
    if (!sasl::acts_for_itself(*who)) {
        wipe(who->password);
        bad({535, "5.7.8", "one account cannot act for another"});
        co_return;
    }
    co_await log_in(std::move(who->user), std::move(who->password));
}

wire::task<> server_session::state::auth_login(std::string initial, bool has_initial) {
    sasl::login_exchange exchange;
    using step = sasl::login_exchange::step;
    bool answered = has_initial;
    while (exchange.at() == step::asking_user || exchange.at() == step::asking_password) {
        if (!answered) {
            const bool goes_on = co_await challenge(exchange.challenge(), initial);
            if (!goes_on) co_return;
        }
        answered = false;
        exchange.respond(initial);
        wipe(initial);
    }
    if (exchange.at() == step::refused) {
        bad({501, "5.5.2", "user name and password must not be empty"});
        co_return;
    }
    sasl::credentials who = exchange.result();
    co_await log_in(std::move(who.user), std::move(who.password));
}

wire::task<bool> server_session::state::challenge(std::string_view text, std::string& response) {
    self.send("334 " + crypto::base64(as_bytes(text)) + "\r\n");
    const auto what = co_await read_line(true);
    if (what == got::over || what == got::http) co_return false;
    if (what == got::too_long) {   // RFC 4954 section 4
        bad({500, "5.5.6", "the response is too long"});
        co_return false;
    }
    if (!line.ends_with("\r\n")) {
        bad({500, "5.5.2", "lines end with CR LF"});
        co_return false;
    }
    auto read = sasl::read_response(std::string_view(line).substr(0, line.size() - 2));
    wipe(line);
    if (read.what == sasl::client_response::kind::cancelled) {   // RFC 4954 section 4
        bad({501, "5.7.0", "login cancelled"});
        co_return false;
    }
    if (read.what == sasl::client_response::kind::bad) {
        bad(cannot_decode());
        co_return false;
    }
    response = read.text;
    wipe(read.text);
    co_return true;
}

wire::task<> server_session::state::log_in(std::string user, std::string password) {
    login question{std::move(user), std::move(password)};
    const reply decision = co_await self.ask(std::move(question));
    if (decision.code == 235) {
        logged_in = true;
        bad_commands = 0;
        say(decision);
    } else if (decision.code >= 500) {
        bad(decision);
    } else {
        say(decision);
    }
}

}  // namespace pp::smtp

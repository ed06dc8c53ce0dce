// One login by AUTH or AUTHENTICATE, from the name of the mechanism to the verdict: the same for IMAP (RFC 9051 section
// 6.2.2), SMTP (RFC 4954) and POP3 (RFC 5034). What differs between them is the host:
//
//   wire::task<std::optional<client_response>> challenge(std::string_view text);   // nothing: the session is over
//   wire::task<bool> log_in(credentials who);                                      // asks the daemon
//   ask(scram_begin), ask(scram_proof)                                             // as wire::dialogue::ask
#pragma once

#include "proto/sasl/login.hpp"
#include "proto/sasl/mechanism.hpp"
#include "proto/sasl/plain.hpp"
#include "proto/sasl/response.hpp"
#include "proto/sasl/scram.hpp"
#include "proto/wire/task.hpp"

namespace pp::sasl {

// What has come of it. over: the session has ended, and the client has been told what it needs to know.
enum class outcome { logged_in, refused, for_another, malformed, wrong_binding, not_base64, cancelled, over };

namespace detail {

// The next text of the client: the initial response when there is one, else the answer to the challenge.
template <class Host>
wire::task<outcome> next_text(Host& host, std::optional<client_response>& initial, std::string_view challenge,
                              std::string& text) {
    if (!initial) initial = co_await host.challenge(challenge);
    if (!initial) co_return outcome::over;
    auto response = std::move(*initial);
    initial.reset();
    if (response.what == client_response::kind::cancelled) co_return outcome::cancelled;
    if (response.what == client_response::kind::bad) co_return outcome::not_base64;
    text = response.text;
    wipe(response.text);
    co_return outcome::logged_in;   // goes on
}

inline outcome outcome_of(scram_exchange::fault why) {
    return why == scram_exchange::fault::for_another     ? outcome::for_another
           : why == scram_exchange::fault::wrong_binding ? outcome::wrong_binding
                                                         : outcome::malformed;
}

template <class Host>
wire::task<outcome> run_plain(Host& host, std::optional<client_response> initial) {
    std::string text;
    const auto got = co_await next_text(host, initial, "", text);
    if (got != outcome::logged_in) co_return got;
    auto who = parse_plain(text);
    wipe(text);
    if (!who) co_return outcome::malformed;
    if (!acts_for_itself(*who)) {
        wipe(who->password);
        co_return outcome::for_another;
    }
    credentials given = std::move(*who);
    const bool good = co_await host.log_in(std::move(given));
    co_return good ? outcome::logged_in : outcome::refused;
}

template <class Host>
wire::task<outcome> run_login(Host& host, std::optional<client_response> initial) {
    login_exchange exchange;
    while (!exchange.challenge().empty()) {
        std::string text;
        const auto got = co_await next_text(host, initial, exchange.challenge(), text);
        if (got != outcome::logged_in) co_return got;
        exchange.respond(text);
        wipe(text);
    }
    if (exchange.at() != login_exchange::step::done) co_return outcome::malformed;
    credentials given = exchange.result();
    const bool good = co_await host.log_in(std::move(given));
    co_return good ? outcome::logged_in : outcome::refused;
}

template <class Host>
wire::task<outcome> run_scram(Host& host, bool plus, bool plus_offered, std::optional<client_response> initial) {
    scram_exchange exchange(plus, plus_offered);
    std::string text;
    auto got = co_await next_text(host, initial, "", text);
    if (got != outcome::logged_in) co_return got;
    auto begin = exchange.client_first(text);
    if (!begin) co_return outcome_of(exchange.why());
    scram_begin question = std::move(*begin);
    const scram_terms terms = co_await host.ask(std::move(question));
    const auto challenge = exchange.server_first(terms);
    if (!challenge) co_return outcome_of(exchange.why());
    got = co_await next_text(host, initial, *challenge, text);
    if (got != outcome::logged_in) co_return got;
    auto final = exchange.client_final(text);
    if (!final) co_return outcome_of(exchange.why());
    scram_proof proof = std::move(*final);
    const scram_verdict verdict = co_await host.ask(std::move(proof));
    if (!verdict.server_signature) co_return outcome::refused;
    // The protocols have no place for data beside the success: it is one more challenge, answered by nothing (RFC 4954
    // section 4). The client may still say that our signature is not the one it expects.
    const std::string signature = scram_exchange::server_final(*verdict.server_signature);
    got = co_await next_text(host, initial, signature, text);
    if (got != outcome::logged_in) co_return got;
    co_return text.empty() ? outcome::logged_in : outcome::malformed;
}

}  // namespace detail

// channel_binding: TLS is active, so the -PLUS mechanism is offered. host must outlive the task.
template <class Host>
wire::task<outcome> authenticate(Host& host, mechanism which, bool channel_binding,
                                 std::optional<client_response> initial) {
    outcome result = outcome::malformed;
    if (which == mechanism::plain) result = co_await detail::run_plain(host, std::move(initial));
    else if (which == mechanism::login) result = co_await detail::run_login(host, std::move(initial));
    else {
        const bool plus = which == mechanism::scram_sha_256_plus;
        result = co_await detail::run_scram(host, plus, channel_binding, std::move(initial));
    }
    co_return result;
}

}  // namespace pp::sasl

// STAT, LIST, UIDL, DELE and what QUIT makes of it (RFC 1939 sections 5 to 7).
#include "crypto/bytes.hpp"
#include "proto/pop3/session_state.hpp"

namespace pp::pop3 {

std::optional<std::uint32_t> server_session::state::number(std::string_view digits) {
    if (digits.empty() || digits.size() > number_digits_max) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (value > lines_max) return std::nullopt;
    return static_cast<std::uint32_t>(value);
}

std::optional<std::size_t> server_session::state::message(std::string_view digits) {
    const auto n = number(digits);
    if (!n) {
        bad("a message has a number");
        return std::nullopt;
    }
    if (*n == 0 || *n > maildrop.size() || maildrop[*n - 1].deleted) {
        say("-ERR there is no message " + std::to_string(*n));
        return std::nullopt;
    }
    return *n - 1;
}

void server_session::state::stat() {
    std::size_t count = 0;
    std::uint64_t bytes_in_all = 0;
    for (const auto& m : maildrop) {
        if (m.deleted) continue;
        ++count;
        bytes_in_all += m.mail.size_bytes;
    }
    say("+OK " + std::to_string(count) + " " + std::to_string(bytes_in_all));
}

wire::task<> server_session::state::list(std::string_view argument, bool unique_ids) {
    const auto row = [this, unique_ids](std::size_t place) {
        const auto& mail = maildrop[place].mail;
        return std::to_string(place + 1) + " " +
               (unique_ids ? crypto::hex(mail.object) : std::to_string(mail.size_bytes));
    };
    if (!argument.empty()) {
        if (const auto place = message(argument)) say("+OK " + row(*place));
        co_return;
    }
    say(unique_ids ? "+OK unique ids follow" : "+OK sizes follow");
    for (std::size_t place = 0; place < maildrop.size(); ++place) {
        if (maildrop[place].deleted) continue;
        say(row(place));
        co_await self.drained();
    }
    say(".");
}

void server_session::state::dele(std::string_view argument) {
    const auto place = message(argument);
    if (!place) return;
    maildrop[*place].deleted = true;
    say("+OK message " + std::to_string(*place + 1) + " goes to Trash with QUIT");
}

wire::task<> server_session::state::quit() {
    over = true;
    update question;
    for (const auto& m : maildrop) {
        if (m.deleted) question.deleted.push_back(m.mail.uid);
        else if (m.retrieved) question.retrieved.push_back(m.mail.uid);
    }
    if (question.deleted.empty() && question.retrieved.empty()) {
        say("+OK bye");
        co_return;
    }
    const bool any_deleted = !question.deleted.empty();
    const auto answer = co_await self.ask(std::move(question));
    const auto* no = std::get_if<refusal>(&answer);
    if (no && any_deleted) refuse(*no);   // RFC 1939 section 6: some deleted messages not removed
    else say("+OK bye");
}

}  // namespace pp::pop3

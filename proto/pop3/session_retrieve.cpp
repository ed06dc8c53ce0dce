// RETR (RFC 1939 section 5) and TOP (section 7): mails stream out of the store, never as one string.
#include "proto/pop3/dot_writer.hpp"
#include "proto/pop3/session_state.hpp"

#include <algorithm>

namespace pp::pop3 {

// The first piece is read before "+OK": a mail that another session has expunged is an -ERR and nothing else.
wire::task<bool> server_session::state::transfer(std::size_t place, std::optional<std::uint32_t> body_lines) {
    const auto mail = maildrop[place].mail;
    dot_writer writer(body_lines);
    std::uint64_t offset = 0;
    bool begun = false;
    while (!writer.done() && (!begun || offset < mail.size_bytes)) {
        read_body question{
            mail.uid, offset,
            static_cast<std::size_t>(std::min<std::uint64_t>(mail.size_bytes - offset, read_piece_bytes_max))};
        if (!begun && !body_lines) question.transfer_end = mail.size_bytes;
        const auto wanted = question.length;
        const auto answer = co_await self.ask(std::move(question));
        const auto* piece = std::get_if<bytes>(&answer);
        if (!begun && !piece) {
            refuse(std::get<refusal>(answer));
            co_return false;
        }
        if (!piece || piece->size() != wanted) {   // half a mail must not look like a whole one
            over = true;
            co_return false;
        }
        if (!begun) say(body_lines ? std::string("+OK") : "+OK " + std::to_string(mail.size_bytes) + " octets");
        begun = true;
        std::string out;
        writer.update(*piece, out);
        self.send(out);
        offset += piece->size();
        self.set_deadline(self.now() + inactivity_timeout);
        co_await self.drained();
    }
    std::string end;
    writer.finish(end);
    self.send(end);
    co_return true;
}

wire::task<> server_session::state::retr(std::string_view argument) {
    const auto place = message(argument);
    if (!place) co_return;
    const bool whole = co_await transfer(*place, std::nullopt);
    if (whole) maildrop[*place].retrieved = true;
}

wire::task<> server_session::state::top(std::string_view argument) {
    const auto blank = std::min(argument.find(' '), argument.size());
    const auto body_lines = number(argument.substr(std::min(blank + 1, argument.size())));
    if (!body_lines) {
        bad("TOP takes a message and a number of lines");
        co_return;
    }
    const auto place = message(argument.substr(0, blank));
    if (!place) co_return;
    co_await transfer(*place, body_lines);
}

}  // namespace pp::pop3

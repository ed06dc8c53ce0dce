// DATA (RFC 5321 section 4.1.1.4) and BDAT (RFC 3030): bodies stream out in chunks, never as one string.
#include "proto/smtp/session_state.hpp"

#include <algorithm>

namespace pp::smtp {

std::optional<reply> server_session::state::body_refusal() const {
    if (!logged_in) return reply{530, "5.7.0", "log in first"};
    if (!mail_open) return reply{503, "5.5.1", "say MAIL first"};
    if (recipients == 0) return reply{554, "5.5.1", "there is no recipient"};
    return std::nullopt;
}

reply server_session::state::body_verdict() const {
    if (body_fault == fault::bare_line_end)
        return {550, "5.5.2", "the mail holds a CR or LF on its own; lines end with CR LF"};
    return {552, "5.3.4", "the mail is larger than the " + std::to_string(options.size_max) + " bytes taken here"};
}

wire::task<> server_session::state::data(std::string_view argument) {
    auto refusal = body_refusal();
    if (!argument.empty()) refusal = reply{501, "5.5.4", "DATA takes no parameters"};
    else if (!refusal && body) refusal = reply{503, "5.5.1", "a body that began with BDAT ends with BDAT"};
    // RFC 3030 section 3
    else if (!refusal && binary) refusal = reply{503, "5.5.1", "a mail in BINARYMIME comes by BDAT"};
    if (refusal) {
        // 554 follows from refused recipients in a pipelined group: not a mistake of the client.
        if (refusal->code == 554) say(*refusal);
        else bad(*refusal);
        co_return;
    }
    body_begin question;
    reply decision = co_await self.ask(std::move(question));
    if (!decision.positive()) {
        say(decision);
        co_return;
    }
    if (decision.code != 354) decision = {354, "", "end the mail with a line that holds only a dot"};
    say(decision);
    begin_body(body_reader::form::dotted, options.keep_bare_line_ends);
    while (!body->ended()) {
        const auto taken = co_await read_body(body_chunk_bytes_max);
        if (!taken) co_return;
    }
    co_await end_body();
}

void server_session::state::begin_body(body_reader::form how, bool keep_bare_line_ends) {
    body.emplace(how, keep_bare_line_ends);
    body_bytes = 0;
    body_fault = fault::none;
}

wire::task<std::optional<std::size_t>> server_session::state::read_body(std::uint64_t octets) {
    self.set_deadline(self.now() + data_timeout);
    if (self.input().empty()) {
        const bool goes_on = co_await more_input();
        if (!goes_on) co_return std::nullopt;
    }
    bytes piece;
    const auto view = self.input().view();
    const auto n = std::min<std::uint64_t>({octets, view.size(), body_chunk_bytes_max - 1});
    const auto taken = body->update(view.first(static_cast<std::size_t>(n)), piece);
    self.input().consume(taken);
    co_await take_body(std::move(piece));
    co_return taken;
}

// Passes good bytes on. A body that turns out bad is given up at once; what still comes of it is read and dropped.
wire::task<> server_session::state::take_body(bytes piece) {
    if (body_fault != fault::none) co_return;
    if (options.size_max > 0 && piece.size() > options.size_max - body_bytes) {
        piece.resize(options.size_max - body_bytes);
        body_fault = fault::too_large;
    } else if (body->broken()) {
        body_fault = fault::bare_line_end;
    }
    if (!piece.empty()) {
        body_bytes += piece.size();
        body_chunk question{std::move(piece)};
        co_await self.ask(std::move(question));
    }
    if (body_fault == fault::none) co_return;
    mail_open = false;
    body_abort question;
    co_await self.ask(std::move(question));
}

wire::task<> server_session::state::end_body() {
    body.reset();
    recipients = 0;
    smtputf8 = binary = false;
    if (body_fault != fault::none) {
        say(body_verdict());
        co_return;
    }
    mail_open = false;
    body_end question;
    const reply decision = co_await self.ask(std::move(question));
    say(decision);
}

wire::task<bool> server_session::state::skip(std::uint64_t octets) {
    while (octets > 0) {
        if (self.input().empty()) {
            if (logged_in) self.set_deadline(self.now() + data_timeout);
            const bool goes_on = co_await more_input();
            if (!goes_on) co_return false;
            continue;
        }
        const auto n = std::min<std::uint64_t>(octets, self.input().size());
        self.input().consume(static_cast<std::size_t>(n));
        octets -= n;
    }
    co_return true;
}

// RFC 3030 section 2. The octets follow the line at once, whether they are wanted or not: a refusal is said behind
// them. A refused chunk ends the mail: a later chunk must never be taken for its beginning.
wire::task<> server_session::state::chunk(std::string_view argument) {
    auto parsed_line = parse_bdat(argument);
    if (auto* wrong = std::get_if<reply>(&parsed_line)) {   // where the next command begins cannot be known any more
        say(*wrong);
        say(closing("4.7.0", "the size of the chunk is not known"));
        over = true;
        co_return;
    }
    const auto [size, last] = std::get<bdat>(parsed_line);
    if (const auto refusal = body_refusal()) {
        const bool goes_on = co_await skip(size);
        if (!goes_on) co_return;
        co_await give_up_mail();
        if (refusal->code == 554) say(*refusal);
        else bad(*refusal);
        co_return;
    }
    if (!body) {
        body_begin question;
        const reply decision = co_await self.ask(std::move(question));
        if (!decision.positive()) {
            const bool goes_on = co_await skip(size);
            if (!goes_on) co_return;
            co_await give_up_mail();
            say(decision);
            co_return;
        }
        begin_body(body_reader::form::plain, binary || options.keep_bare_line_ends);
    }
    std::uint64_t left = size;
    while (left > 0 && body_fault == fault::none) {
        const auto taken = co_await read_body(left);
        if (!taken) co_return;
        left -= *taken;
    }
    if (left > 0) {
        const bool goes_on = co_await skip(left);
        if (!goes_on) co_return;
    }
    if (last && body_fault == fault::none) {
        bytes rest;
        body->finish(rest);
        co_await take_body(std::move(rest));
    }
    if (last || body_fault != fault::none) co_await end_body();
    else say({250, "2.0.0", std::to_string(size) + " octets received"});
}

}  // namespace pp::smtp

// APPEND (RFC 9051 section 6.3.12, RFC 4315 for APPENDUID, RFC 7889 for the limit). The mail streams to the daemon in
// pieces; it is never held whole.
#include "proto/imap/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/literal.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

// Reads the mail and the end of the command. Empty: all is well; else the answer, with the mail to be given up.
wire::task<std::optional<reply>> read_mail(connection& c, open_literal literal) {
    bool nul = false;
    for (auto left = literal.size_bytes; left > 0;) {
        append_chunk chunk;
        chunk.data = co_await c.read_piece(left);
        if (c.over) co_return ok("");
        // RFC 9051 section 4.3.1: only literal8 may carry NUL.
        nul |= !literal.binary && std::find(chunk.data.begin(), chunk.data.end(), std::byte(0)) != chunk.data.end();
        if (!nul) co_await c.ask(std::move(chunk));
    }
    const auto line = co_await c.read_line(command_bytes_max);
    if (!line) co_return ok("");
    if (!line->empty()) {
        if (const auto next = literal_at_end(*line)) {
            const open_literal another{next->size_bytes, next->synchronising, next->binary};
            co_await c.discard(another);
        }
        co_return bad("Nothing may follow the mail");
    }
    if (nul) co_return no("A mail with NUL needs a binary literal", "CANNOT");
    co_return std::nullopt;
}

}  // namespace

wire::task<reply> run_append(connection& c, command& cmd) {
    append_begin question;
    auto& args = cmd.args;
    args.space();
    question.mailbox = args.mailbox(c.rev2);
    args.space();
    if (args.peek() == '(') {
        question.flags = args.flag_list();
        args.space();
    }
    if (args.peek() == '"') {
        question.internal_date = args.date_time();
        args.space();
    }
    args.end();
    if (!args.failed() && !cmd.body) args.fail("The mail is missing");
    if (args.failed()) co_return bad_arguments(cmd);
    const auto literal = *cmd.body;
    const auto limit = c.options.append_bytes_max ? c.options.append_bytes_max : discarded_bytes_max;
    // Refused here, the literal stays in cmd.body: a client that waits never sends it, any other's is thrown away.
    if (literal.size_bytes > limit) co_return no("The mail is too large", "TOOBIG");
    if (literal.size_bytes == 0) co_return no("An empty mail cannot be kept", "CANNOT");
    question.size_bytes = literal.size_bytes;
    const auto name = question.mailbox;
    const auto begun = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&begun)) co_return c.refused(*why);

    cmd.body.reset();
    c.accept_literal(literal);
    const auto failure = co_await read_mail(c, literal);
    if (failure) {
        append_abort abort;
        co_await c.ask(std::move(abort));
        co_return *failure;
    }
    append_end end;
    const auto answer = co_await c.ask(std::move(end));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    const auto& done = std::get<appended>(answer);
    // RFC 9051 section 6.3.12: mail for the selected mailbox is told at once.
    if (c.selected && c.selected->name == name) co_await c.tell_changes(telling::everything, false);
    co_return ok("APPEND completed", "APPENDUID " + std::to_string(done.uid_validity) + ' ' + std::to_string(done.uid));
}

}  // namespace pp::imap

// How a session reads: lines, commands with their literals, refused literals (RFC 9051 sections 2.2.1 and 4.3,
// RFC 7888). Bounds before memory: nothing is kept beyond command_bytes_max.
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/literal.hpp"
#include "proto/imap/grammar/response.hpp"
#include "proto/wire/line_reader.hpp"

#include <algorithm>
#include <cstring>

namespace pp::imap {

namespace {
// RFC 9051 section 9, tag: astring characters without "+".
bool is_tag(std::string_view text) {
    return !text.empty() && text.size() <= tag_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_astring_char(c) && c != '+'; });
}
}  // namespace

wire::task<bool> connection::wait() {
    if (!appends_.empty()) co_await settle_appends();   // the client may wait for the answers before it sends more
    if (over) co_return false;
    if (logged_in_) set_deadline(now() + inactivity_max);   // before login the first deadline stands
    const auto why = co_await more_input();
    if (why == wire::woken::timeout) bye(logged_in_ ? "Idle for too long" : "No login in time");
    if (why == wire::woken::ended) over = true;
    co_return !over;
}

wire::task<connection::line_end> connection::take_line(std::string& line, std::size_t max) {
    wire::line_reader reader;
    std::string beginning;   // holds the tag
    for (;;) {
        if (!reader.dropping()) beginning = input().text().substr(0, tag_bytes_max + 1);
        const auto got = reader.take(input(), max, line);
        // A bare LF ends a line too: people type commands by hand, and no proxy parses what follows differently.
        if (got != wire::line_reader::got::more) line.resize(wire::without_line_end(line).size());
        if (got == wire::line_reader::got::line) co_return line_end::found;
        if (got == wire::line_reader::got::too_long) {
            line = std::move(beginning);
            co_return line_end::too_long;
        }
        const bool more = co_await wait();
        if (!more) co_return line_end::over;
    }
}

wire::task<std::optional<std::string>> connection::read_line(std::size_t max) {
    std::string line;
    const auto end = co_await take_line(line, max);
    if (end == line_end::too_long) bye("A line is too long");
    if (over) co_return std::nullopt;
    co_return line;
}

// RFC 9051 section 7.1.3: untagged only where the command cannot be told; who waits for its answer must get it.
wire::task<> connection::refuse_line(std::string_view tag, std::string_view why) {
    co_await settle_appends();   // answers stand in the order of the commands
    if (over) co_return;
    if (is_tag(tag)) send(std::string(tag) + " BAD " + std::string(why) + "\r\n");
    else untagged("BAD " + std::string(why));
    note_bad();
}

wire::task<bool> connection::read_command(command& cmd) {
    const auto max = logged_in_ ? command_bytes_max : command_before_login_bytes_max;
    std::string line;
    const auto end = co_await take_line(line, max);
    if (end == line_end::over) co_return false;
    const auto tag_end = std::min(line.find(' '), line.size());
    const auto tag = std::string_view(line).substr(0, tag_end);
    if (end == line_end::too_long) {
        if (logged_in_) {
            co_await refuse_line(tag, "The line is too long");
        } else {
            bye("The line is too long");
        }
        co_return false;
    }
    if (!logged_in_ && wire::looks_like_http(line)) {
        over = true;   // not one byte: it is no IMAP client that would read it
        co_return false;
    }
    if (!is_tag(tag) || line.find('\0') != line.npos) {
        const auto mark = literal_at_end(line);
        const std::string_view why = is_tag(tag) ? "A command may not contain NUL" : "A command begins with a tag";
        co_await refuse_line(tag, why);
        if (mark && !over) {
            const open_literal literal{mark->size_bytes, mark->synchronising, mark->binary};
            co_await discard(literal);
        }
        co_return false;
    }
    cmd.tag = tag;
    auto rest = std::string_view(line).substr(std::min(tag_end + 1, line.size()));
    const auto take_word = [&rest] {
        const auto word = rest.substr(0, rest.find_first_of(" {"));
        rest.remove_prefix(word.size());
        return upper(word);
    };
    cmd.name = take_word();
    if (cmd.name == "UID" && rest.starts_with(' ')) {
        rest.remove_prefix(1);
        cmd.uid = true;
        cmd.name = take_word();
    }
    cmd.text = rest;
    const bool complete = co_await read_literals(cmd);
    if (!complete) co_return false;
    cmd.args = parser(cmd.text);
    cmd.args.expect_utf8(utf8_accept);
    co_return true;
}

namespace {
// Is the literal a mail, to be read by the command itself? Those of APPEND and REPLACE are, but for the mailbox name:
// the first argument of the one, the second of the other.
bool begins_mail(const command& cmd, std::size_t line_at, std::size_t mark_at) {
    if (!takes_mail(cmd.name)) return false;
    const auto before = std::string_view(cmd.text).substr(0, mark_at);
    const auto blanks = std::count(before.begin(), before.end(), ' ');
    return line_at > 0 || blanks > (cmd.name == "APPEND" ? 1 : 2);
}
}  // namespace

// Reads the literals of a command into its text. Stops before one that is not to be read: the mail of APPEND, one that
// is too large, any of a command that will be refused. False: over.
wire::task<bool> connection::read_literals(command& cmd) {
    const auto max = logged_in_ ? command_bytes_max : command_before_login_bytes_max;
    const auto* entry = find_command(cmd.name);
    const bool welcome = entry && (entry->states & (logged_in_ ? in_any_mailbox_state : in_not_authenticated));
    std::size_t line_at = 0;   // of the last line in cmd.text
    for (;;) {
        const auto mark = literal_at_end(std::string_view(cmd.text).substr(line_at));
        if (!mark) co_return true;
        const auto mark_at = line_at + mark->begins_at;
        const bool is_mail = begins_mail(cmd, line_at, mark_at);
        const open_literal literal{mark->size_bytes, mark->synchronising, mark->binary};
        if (!welcome || is_mail || (mark->binary && !takes_literal8(cmd.name)) ||
            mark->size_bytes > max - std::min(max, cmd.text.size() + 2)) {
            cmd.text.resize(mark_at);
            cmd.body = literal;
            co_return true;
        }
        co_await accept_literal(literal);
        if (over) co_return false;
        cmd.text += "\r\n";
        for (std::uint64_t left = literal.size_bytes; left > 0;) {
            const auto piece = co_await read_piece(left);
            if (over) co_return false;
            cmd.text += as_text(piece);
        }
        line_at = cmd.text.size();
        std::string line;
        const auto end = co_await take_line(line, max - std::min(max, cmd.text.size()));
        if (end == line_end::over) co_return false;
        if (end == line_end::too_long) {
            co_await refuse_line(cmd.tag, "The command is too long");
            co_return false;
        }
        cmd.text += line;
    }
}

// The client goes on when it sees the "+": the answers it is still owed stand before it.
wire::task<> connection::accept_literal(const open_literal& literal) {
    if (!literal.synchronising) co_return;
    co_await settle_appends();
    if (!over) send("+ OK\r\n");
}

wire::task<bytes> connection::read_piece(std::uint64_t& left) {
    while (left > 0 && input().empty()) {
        const bool more = co_await wait();
        if (!more) co_return bytes();
    }
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>({left, input().size(), append_piece_bytes_max}));
    auto piece = to_bytes(input().view().first(n));
    input().consume(n);
    left -= n;
    co_return piece;
}

wire::task<> connection::discard(open_literal literal) {
    // RFC 7888 section 4: a client that did not wait has sent, or is sending, the bytes;
    // one that waits has been answered.
    while (!over && !literal.synchronising) {
        if (literal.size_bytes > (logged_in_ ? discarded_bytes_max : command_before_login_bytes_max)) {
            bye("The literal is too large", "TOOBIG");
            co_return;
        }
        for (auto left = literal.size_bytes; left > 0 && !over;) {
            if (input().empty()) {
                const bool more = co_await wait();
                if (!more) co_return;
            }
            const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, input().size()));
            input().consume(n);
            left -= n;
        }
        if (over) co_return;
        std::string line;
        const auto end = co_await take_line(line, command_bytes_max);
        if (end == line_end::over) co_return;
        const auto mark = literal_at_end(line);
        if (!mark) co_return;
        literal = {mark->size_bytes, mark->synchronising, mark->binary};
    }
}

}  // namespace pp::imap

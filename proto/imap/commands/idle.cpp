// IDLE (RFC 2177, RFC 9051 section 6.3.13): what happens in the mailbox is told at once; a reminder every two minutes
// keeps boxes in between from closing the connection.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/response.hpp"

#include <algorithm>

namespace pp::imap {

namespace {
constexpr std::size_t done_line_bytes_max = 512;   // with its end; there are clients that send another command instead

// The line that ends IDLE, when it has come.
std::optional<std::string> take_done_line(connection& c) {
    const auto text = c.input().text().substr(0, done_line_bytes_max);
    const auto end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string taken(line);
    c.input().consume(end + 1);
    return taken;
}

wire::task<reply> idle(connection& c) {
    co_await c.tell_metadata();
    co_await c.tell_changes(telling::everything, false);   // what came between the last command and this one
    const auto ends_at = c.now() + inactivity_max;
    auto reminds_at = c.now() + idle_reminder_every;
    while (!c.over && !c.leaving) {
        if (const auto line = take_done_line(c)) {
            if (equal_case(*line, "DONE")) co_return ok("IDLE completed");
            co_return bad("Expected DONE");
        }
        if (c.input().size() >= done_line_bytes_max) {
            c.bye("Expected DONE");
            break;
        }
        c.set_deadline(std::min(ends_at, reminds_at));
        const auto why = co_await c.more_input();
        if (why == wire::woken::ended) {
            c.over = true;
        } else if (why == wire::woken::news) {
            co_await c.tell_changes(telling::everything, false);
            co_await c.tell_metadata();
        } else if (why == wire::woken::timeout && c.now() >= ends_at) {
            c.bye("Idle for too long");
        } else if (why == wire::woken::timeout) {
            c.untagged("OK Still here");
            reminds_at = c.now() + idle_reminder_every;
        }
    }
    co_return ok("");
}
}  // namespace

wire::task<reply> run_idle(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    c.send("+ idling\r\n");
    c.listen_to_news(c.selected.has_value() || c.notify || c.metadata_news);
    auto result = co_await idle(c);
    c.listen_to_news(false);
    if (c.leaving) c.over = true;   // the mailbox has gone, and no answer stands before DONE
    co_return result;
}

}  // namespace pp::imap

// Reading command lines and writing replies: limits, time-outs, refusal of what is no SMTP at all.
#include "proto/smtp/session_state.hpp"

#include "proto/mail/ascii.hpp"
#include "proto/wire/line_reader.hpp"

#include <algorithm>

namespace pp::smtp {

reply server_session::state::closing(std::string enhanced, std::string text) const {
    return {421, std::move(enhanced), options.host_name + ": " + std::move(text) + ", closing the connection"};
}

void server_session::state::say(const reply& r) { self.send(wire_form(r)); }

void server_session::state::bad(const reply& r) {
    say(r);
    if (++bad_commands < (logged_in ? bad_commands_after_login_max : bad_commands_before_login_max)) return;
    say(closing("4.7.0", "too many errors"));
    over = true;
}

wire::task<bool> server_session::state::more_input() {
    const auto why = co_await self.more_input();
    if (why == wire::woken::input) co_return true;
    if (why == wire::woken::timeout) say(closing("4.4.2", "nothing came for too long"));
    over = true;
    co_return false;
}

// Lines end with CRLF and nothing else (RFC 5321 section 2.3.8). What is longer than the limit is thrown away up to its
// end, so a line never takes more memory than the limit.
wire::task<server_session::state::got> server_session::state::read_line(bool in_auth) {
    co_await self.drained();   // a client that sends commands and reads no replies waits here
    if (logged_in) self.set_deadline(self.now() + command_timeout);
    wire::line_reader reader;
    for (;;) {
        const auto text = self.input().text();
        if (!logged_in && !in_auth && !reader.dropping()) {
            // At once, not at the end of the line; and only as far as a line is kept, so that no cut matters.
            const auto end = text.find('\n');
            const auto length = end == text.npos ? text.size() : end + 1;
            if (wire::looks_like_http(text.substr(0, std::min(length, command_line_bytes_max)))) co_return got::http;
        }
        const bool long_form = in_auth || pp::mail::ascii::equal_no_case(text.substr(0, 5), "AUTH ");
        const auto what = reader.take(self.input(), long_form ? auth_line_bytes_max : command_line_bytes_max, line);
        if (what == wire::line_reader::got::line) co_return got::line;
        if (what == wire::line_reader::got::too_long) co_return got::too_long;
        const bool goes_on = co_await more_input();
        if (!goes_on) co_return got::over;
    }
}

}  // namespace pp::smtp

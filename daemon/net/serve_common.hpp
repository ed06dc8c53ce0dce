// What the servers of IMAP and SMTP share.
#pragma once

#include "daemon/net/any_stream.hpp"

#include <atomic>
#include <string>
#include <string_view>

namespace pp::net {

inline constexpr auto handshake_limit = std::chrono::seconds(30);
inline constexpr auto login_failure_delay = std::chrono::seconds(2);   // slows guessing on that connection only
inline constexpr const char* login_refused_text =
    "login name or app password is wrong (peerpost password new makes a new one)";

inline constexpr const char* imap_busy_text = "* BYE too many connections; close one and try again\r\n";
inline constexpr const char* smtp_busy_text = "421 4.3.2 too many connections; try again later\r\n";

inline std::uint64_t next_connection_number() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

// Ends early when the timer is cancelled.
inline awaitable<void> login_failure_pause(asio::steady_timer& timer) {
    timer.expires_after(login_failure_delay);
    auto [ec] = co_await timer.async_wait(as_result);
    (void)ec;
}

}  // namespace pp::net

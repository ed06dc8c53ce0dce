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

inline std::uint64_t next_connection_number() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

inline awaitable<void> login_failure_pause(asio::any_io_executor executor) {
    asio::steady_timer timer(executor, login_failure_delay);
    auto [ec] = co_await timer.async_wait(as_result);
    (void)ec;
}

}  // namespace pp::net

// What the servers of IMAP, SMTP and POP3 share.
#pragma once

#include "daemon/net/any_stream.hpp"

#include <atomic>
#include <string_view>

namespace pp::net {

inline constexpr auto handshake_limit = std::chrono::seconds(30);

inline constexpr const char* imap_busy_text = "* BYE too many connections; close one and try again\r\n";
inline constexpr const char* smtp_busy_text = "421 4.3.2 too many connections; try again later\r\n";
inline constexpr const char* pop3_busy_text = "-ERR [SYS/TEMP] too many connections; try again later\r\n";

inline std::uint64_t next_connection_number() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

// STARTTLS, STLS: what the machine has said is written, then the handshake is done. A failure closes the stream.
template <class Pump>
awaitable<void> begin_tls(Pump& pump, any_stream& stream, std::shared_ptr<asio::ssl::context> context) {
    // g++ 12 misplaces the promise of this coroutine when the co_await stands in the condition of an if: named results.
    const bool written = co_await pump.flush();
    if (!written) co_return;
    const error_code failed = co_await stream.start_tls_as_server(std::move(context), handshake_limit);
    if (failed) stream.close();
}

}  // namespace pp::net

// What all servers share, those for mail clients and the one for peers.
#pragma once

#include "daemon/net/any_stream.hpp"

#include <atomic>
#include <cstdint>

namespace pp::net {

inline constexpr auto handshake_limit = std::chrono::seconds(30);

inline std::uint64_t next_connection_number() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

}  // namespace pp::net

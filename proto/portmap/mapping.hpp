// What both protocols of port mapping (nat_pmp.hpp, pcp.hpp) ask for and get.
#pragma once

#include "crypto/bytes.hpp"

#include <array>
#include <chrono>
#include <cstdint>

namespace pp::portmap {

using ipv4 = std::array<std::uint8_t, 4>;
using nonce = std::array<std::byte, 12>;
using time_point = std::chrono::steady_clock::time_point;   // always given from outside

inline constexpr std::uint16_t gateway_port = 5351;         // RFC 6886 section 3.1, RFC 6887 section 19.1: UDP
inline constexpr std::size_t datagram_bytes_max = 1100;     // RFC 6887 section 7; no answer of NAT-PMP is as long
inline constexpr std::uint32_t lease_wanted_s = 3600;       // 04-network 4.5.7: renewed at half
inline constexpr std::uint32_t lease_s_min = 60;            // a shorter one is renewed as if it were this long
inline constexpr std::uint32_t lease_s_max = 86400;         // a longer one is looked after as if it were this long

enum class transport : std::uint8_t { udp = 17, tcp = 6 };  // numbers of IANA, as PCP writes them

// What the gateway has granted.
struct grant {
    ipv4 external{};
    std::uint16_t external_port = 0;
    std::uint32_t lease_s = 0;
    bool operator==(const grant&) const = default;
};

}  // namespace pp::portmap

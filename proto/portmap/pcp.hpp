// PCP (RFC 6887), the client's half: the MAP request for an IPv4 port and its answer. Every byte of an answer is
// hostile. Layouts:
//
//   request    version 2 | opcode 1 | 0 u16 | lifetime u32 | client address (16)                     section 7.1
//              nonce (12) | protocol u8 | 0 u24 | internal port u16 | wanted port u16 | wanted address (16)   11.1
//   answer     version 2 | opcode 129 | 0 u8 | result u8 | lifetime u32 | epoch u32 | 0 (12)         section 7.2
//              nonce (12) | protocol u8 | 0 u24 | internal port u16 | external port u16 | external address (16)
//
// IPv4 addresses are written as IPv4-mapped IPv6 ones (section 5). Options may follow an answer; none is asked for.
#pragma once

#include "proto/portmap/mapping.hpp"

#include <optional>

namespace pp::portmap::pcp {

inline constexpr std::uint8_t version = 2;

// lease_s 0 takes the mapping away (section 15.1).
bytes map_request(const ipv4& own_address, const nonce& n, transport t, std::uint16_t internal_port,
                  std::uint16_t wanted_port, std::uint32_t lease_s);

struct map_answer {
    // section 7.4: 0 success, 1 version, 2 not authorised, 4 opcode, 8 no resources ...
    std::uint8_t result = 0;
    std::uint32_t lease_s = 0;       // with an error: how long it is likely to stay so
    std::uint32_t epoch_s = 0;
    nonce n{};
    transport what = transport::udp;
    std::uint16_t internal_port = 0, external_port = 0;
    std::optional<ipv4> external;    // nullopt: an IPv6 address, or none
    bool operator==(const map_answer&) const = default;
};
// nullopt for what is no answer to MAP. Of an error nothing but result, lifetime and epoch need be there.
std::optional<map_answer> decode(bytes_view datagram);

}  // namespace pp::portmap::pcp

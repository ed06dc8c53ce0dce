// NAT-PMP (RFC 6886), the client's half: requests as bytes, answers as values. Every byte of an answer is hostile: it
// comes from whoever answers at the gateway's address. Layouts:
//
//   address request    version 0 | op 0                                                            section 3.2
//   address answer     version 0 | op 128 | result u16 | epoch u32 | external address (4)
//   mapping request    version 0 | op 1 UDP, 2 TCP | 0 u16 | internal port u16 | wanted port u16 | lifetime u32   3.3
//   mapping answer     version 0 | op 129, 130 | result u16 | epoch u32 | internal port u16 | external port u16 |
//                      lifetime u32
//
// An answer with a result other than 0 may end after the epoch (section 3.5 shows 8 bytes; gateways differ).
#pragma once

#include "proto/portmap/mapping.hpp"

#include <optional>
#include <variant>

namespace pp::portmap::nat_pmp {

inline constexpr std::uint8_t version = 0;

bytes address_request();
std::uint8_t operation_of(transport t);
// lease_s 0 takes the mapping away; the wanted port is then 0, too (section 3.4).
bytes mapping_request(transport t, std::uint16_t internal_port, std::uint16_t wanted_port, std::uint32_t lease_s);

struct address_answer {
    std::uint32_t epoch_s = 0;
    ipv4 external{};
    bool operator==(const address_answer&) const = default;
};
struct mapping_answer {
    transport what = transport::udp;
    std::uint32_t epoch_s = 0;
    std::uint16_t internal_port = 0, external_port = 0;
    std::uint32_t lease_s = 0;
    bool operator==(const mapping_answer&) const = default;
};
struct refusal {
    std::uint8_t operation = 0;      // of the request
    // section 3.5: 1 version, 2 not authorised, 3 no network, 4 out of resources, 5 opcode
    std::uint16_t result = 0;
    bool operator==(const refusal&) const = default;
};
using answer = std::variant<address_answer, mapping_answer, refusal>;
// nullopt for what is no answer of NAT-PMP.
std::optional<answer> decode(bytes_view datagram);

}  // namespace pp::portmap::nat_pmp

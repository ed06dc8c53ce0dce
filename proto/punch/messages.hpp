// Hole punching (proto/punch/SPEC.md): what two nodes that are joined by a circuit tell each other to become joined
// directly. Rides on streams of protocol punch/1 of the peer link, inside its TLS: the relay can neither read nor forge
// an address.
#pragma once

#include "crypto/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pp::punch {

inline constexpr std::size_t candidates_max = 8;         // 04-network 4.5.3: four of IPv4, four of IPv6
inline constexpr std::size_t endpoint_bytes_max = 64;    // "[v6]:port" and to spare; names are no candidates
inline constexpr std::size_t message_bytes_max = 1024;   // of punch/1, both ways

enum class candidate_kind : std::uint8_t {
    listener = 0,      // somebody listens there: who dials it is the TLS client, as always
    hole = 1,          // behind it is the socket of the node's link to a relay: both dial at the same time
};
struct candidate {
    candidate_kind kind = candidate_kind::listener;
    std::string endpoint;
    bool operator==(const candidate&) const = default;
};

struct offer {         // the request and its reply
    std::vector<candidate> candidates;
    bool operator==(const offer&) const = default;
};
struct go {            // dial now; its reply is empty
    bool operator==(const go&) const = default;
};
using message = std::variant<offer, go>;

bytes encode(const message&);
std::optional<message> decode(bytes_view);

}  // namespace pp::punch

// The two texts that name a relay (proto/relay/SPEC.md, "Texts"): the link its owner gives away, and the address of a
// slot as it stands in an account record.
#pragma once

#include "proto/relay/error.hpp"
#include "proto/relay/secrets.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pp::relay {

// "peerpost:relay/...": lets somebody use a relay. With an invite it may be used once under policy "invited".
struct relay_link {
    account_key relay;
    array16 invite{};                        // zeros: none
    std::vector<std::string> endpoints;      // "host:port", best first; 1 to endpoints_max
    bool operator==(const relay_link&) const = default;
};
std::string encode_link(const relay_link&);
// skips blanks, line breaks, angle brackets; errc::bad_link
result<relay_link> decode_link(std::string_view text);

// "peerpost:slot/...": where a notification may be left for somebody. At most slot_address_bytes_max bytes: endpoints
// that do not fit are left out, last first; empty when not even the best one fits (it has more than 80 bytes then).
struct slot_address {
    account_key relay;
    slot_id slot;
    std::vector<std::string> endpoints;
    bool operator==(const slot_address&) const = default;
};
std::string encode_address(const slot_address&);
result<slot_address> decode_address(std::string_view text);

}  // namespace pp::relay

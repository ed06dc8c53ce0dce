// The relays an account uses: what is kept of each, and what all else is derived from (proto/relay/SPEC.md, "Slots").
// Who has the recovery words and the relay's link has the slot again. Pure; the daemon keeps the list in the store.
#pragma once

#include "proto/peer/messages.hpp"
#include "proto/relay/address.hpp"
#include "proto/relay/messages.hpp"
#include "storage/records.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pp::engine {

inline constexpr std::size_t own_relays_max = peer::relays_max;
inline constexpr std::string_view own_relays_setting = "relays";
// What we are willing to do for a relay that asks for work: 2^12 tries, half a minute.
inline constexpr std::uint8_t work_willing_bits = 12;

struct own_relay {
    crypto::account_key relay;
    relay::array16 invite{};                     // of its link; zeros: none
    std::vector<std::string> endpoints;          // best first
    std::uint32_t generation = 0;                // of the token keys
    storage::unix_ms since = 0;
    bool opened = false;                         // the slot has been seen there
    // Since it worked the last time (relay_trouble.hpp): it was not reached since then, 0: it was; its owner has a mail
    // about that, and about being refused.
    storage::unix_ms away_since = 0;
    bool away_told = false, refusal_told = false;
    bool operator==(const own_relay&) const = default;
};
bytes encode(const std::vector<own_relay>&);
result<std::vector<own_relay>> decode_own_relays(bytes_view);      // errc::bad_message of proto/peer

own_relay from_link(const relay::relay_link& link, storage::unix_ms now);
relay::slot_secrets slot_of(const own_relay& r, const crypto::signing_key& account);
// For the account record.
std::vector<std::string> slot_addresses(const std::vector<own_relay>& all, const crypto::signing_key& account);

// Why a relay does not do what was asked, in words; after "the relay ".
std::string refusal_text(const relay::refusal& why);

}  // namespace pp::engine

// What answers and first mails through a relay need. How to answer somebody who cannot be reached now (SPEC.md, "Return
// path"): a key to seal to and a slot to leave it in. It rides in notifications and letters, so that a receipt finds
// its way although the recipient has never seen the sender's record.
#pragma once

#include "crypto/hpke.hpp"
#include "crypto/keys.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace pp::peer {

inline constexpr std::size_t slot_text_bytes_max = 200;      // proto/relay/SPEC.md, "Texts"

struct return_path {
    std::uint32_t prekey_id = 0;
    crypto::prekey key;
    std::int64_t not_after = 0;                              // of the prekey, Unix seconds
    std::string slot;                                        // "peerpost:slot/..."; empty: no relay
    bool operator==(const return_path&) const = default;
};
// What a sender gives along with a notification that goes through a relay.
struct introduction {
    return_path way;
    std::array<std::byte, 34> token{};                       // pays for one answer in that slot; zeros: none
    std::array<std::byte, 16> invite{};                      // the recipient's own invite, to be known by; zeros: none
    bool operator==(const introduction&) const = default;
};

inline constexpr std::size_t granted_tokens_max = 16;        // of one grant; sixteen deliveries
inline constexpr std::size_t invite_grants_max = 4;          // one for each relay
// Delivery tokens for the sender's slot (proto/relay/SPEC.md, "Delivery tokens"); each is serial (16) | mac (16).
struct token_grant {
    crypto::account_key relay;
    std::array<std::byte, 16> slot{};
    std::uint16_t week = 0;
    std::vector<std::array<std::byte, 32>> tokens;           // 1 to granted_tokens_max
    bool operator==(const token_grant&) const = default;
};

}  // namespace pp::peer

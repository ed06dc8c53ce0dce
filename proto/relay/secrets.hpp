// Names and secrets of the relay's protocol (proto/relay/SPEC.md, "Slots", "Delivery tokens", "Seeds", "Circuits"): all
// of them derived, so that who has an account's seed has its slots and who can open a mail has its seed's secrets.
#pragma once

#include "crypto/primitives.hpp"
#include "crypto/stream_mask.hpp"
#include "proto/relay/limits.hpp"

#include <array>

namespace pp::relay {

using crypto::account_key;
using unix_s = std::int64_t;
using array16 = std::array<std::byte, 16>;

using slot_key = crypto::fixed_bytes<struct slot_key_tag, 32>;          // Ed25519 public; of one account at one relay
using slot_id = crypto::fixed_bytes<struct slot_id_tag, 16>;            // hash of the slot key: what depositors name
using token_key = crypto::fixed_bytes<struct token_key_tag, 32>;        // the owner and the relay share it; zeros: none
using token_serial = crypto::fixed_bytes<struct token_serial_tag, 16>;
using locator = crypto::fixed_bytes<struct locator_tag, 32>;            // names a seed at one relay
using deletion_secret = crypto::fixed_bytes<struct deletion_secret_tag, 32>;
using circuit_tag = crypto::fixed_bytes<struct circuit_tag_tag, 16>;

slot_id slot_id_of(const slot_key& key);
circuit_tag circuit_tag_of(const account_key& target, const account_key& relay);

// Of one account at one relay.
struct slot_secrets {
    crypto::signing_key key;            // proves ownership of the slot
    token_key tokens;                   // of this generation
    token_key previous_tokens;          // zeros in generation 0
    crypto::row_key serials;            // lets the owner, nobody else, read who used a token
    slot_key public_key() const { return *slot_key::from(key.public_key()); }
    slot_id id() const { return slot_id_of(public_key()); }
};
// generation grows when tokens are to become worthless: those of two generations ago are refused.
slot_secrets derive_slot(const crypto::account_seed& account, const account_key& relay, std::uint32_t generation);

// ------------------------------------------------------------------ delivery tokens
// One delivery: one item and one seed. The relay can check it; it cannot tell which contact it was handed to, nor that
// two tokens went to the same one.
struct delivery_token {
    token_serial serial;
    std::uint16_t week = 0;             // the last week it is good in
    array16 mac{};
    bool operator==(const delivery_token&) const = default;
};
inline constexpr std::size_t token_bytes = 16 + 2 + 16;

std::uint16_t week_of(unix_s now);      // since 1970; the first one for times before
delivery_token issue_token(const slot_id& slot, const token_key& key, const token_serial& serial, std::uint16_t week);
// A zero key fits nothing.
bool fits(const delivery_token& token, const slot_id& slot, const token_key& key);
bool in_time(const delivery_token& token, unix_s now);

// A serial that names the contact to its maker alone: 8 random bytes, then the contact's tag under a mask of them.
token_serial make_serial(const crypto::row_key& serials, const account_key& contact);
bool is_serial_of(const crypto::row_key& serials, const token_serial& serial, const account_key& contact);

// ------------------------------------------------------------------ seeds
struct seed_secrets {
    locator where;
    deletion_secret deletion;           // shown to delete; the relay keeps its hash from the beginning
    crypto::mask_key mask;
};
// The notification's id keeps the recipients of one mail apart: none can delete another's seed.
seed_secrets derive_seed(const crypto::blob_key& blob, const array16& notification, const account_key& relay,
                         const slot_id& slot);
crypto::hash256 deletion_hash(const deletion_secret& secret);

// The size on the wire of a seed with so much content: at least seed_bytes_min, then eighths of powers of two. 0 when
// it is more than seed_bytes_max.
std::uint64_t seed_bytes(std::uint64_t content_bytes);
bool is_seed_size(std::uint64_t bytes);

}  // namespace pp::relay

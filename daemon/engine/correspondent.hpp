// What is kept of somebody with whom mail goes through relays, beside the contact: delivery tokens to pay her relay
// with, the newest way to answer her, and how many tokens she had from us (proto/relay/SPEC.md, "Delivery tokens";
// proto/peer/SPEC.md, "Return path"). Pure; the daemon keeps it in the store, one setting for each.
#pragma once

#include "proto/peer/letter.hpp"
#include "proto/relay/address.hpp"
#include "proto/relay/secrets.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pp::engine {

inline constexpr std::size_t held_tokens_max = 64;           // of one correspondent
inline constexpr std::size_t tokens_given_at_once = peer::granted_tokens_max;
// What one contact gets in a week. Twenty flooding contacts stay below what a relay remembers of a slot's spent tokens.
inline constexpr std::uint32_t tokens_given_in_a_week = 256;
// Who has paid with so many of a hand gets the next one: a week has more mails than a hand has tokens.
inline constexpr std::uint8_t tokens_short = tokens_given_at_once / 2;

struct held_token {
    crypto::account_key relay;
    relay::slot_id slot;
    relay::delivery_token token;
    bool operator==(const held_token&) const = default;
};
struct correspondent {
    std::vector<held_token> tokens;                          // oldest first
    std::optional<peer::return_path> way;
    std::int64_t way_told_at = 0;                            // when she wrote it, Unix seconds
    std::uint8_t work_bits = 0;                              // she asks of strangers, as her record in the DHT says
    std::uint16_t given_week = 0;                            // the week that `given` counts
    std::uint32_t given = 0;
    std::vector<relay::slot_id> hand_for;                    // slots of ours a full hand was given for in that week
    std::uint8_t spent = 0;                                  // of that hand, as far as we have seen
    // Since when, Unix ms, another way leads to us that she was not told of; 0: she knows it (engine/way_news.hpp).
    std::int64_t untold_since = 0;
    bool operator==(const correspondent&) const = default;
};
std::string correspondent_setting(const crypto::account_key& who);
bytes encode(const correspondent&);
result<correspondent> decode_correspondent(bytes_view);      // errc::bad_message of proto/peer

// A token for this slot, taken away; those that are out of time go as well.
std::optional<relay::delivery_token> take_token(correspondent& c, const crypto::account_key& relay,
                                                const relay::slot_id& slot, std::int64_t now);
// Of a letter of hers.
void keep_tokens(correspondent& c, const peer::token_grant& grant, std::int64_t now);
// Whether one of her tokens is at hand: she has given them away, so that who pays with one is no stranger to her.
bool holds_token(const correspondent& c, const crypto::account_key& relay, const relay::slot_id& slot,
                 std::int64_t now);
// The newer one stays. A way that was written later than now was written by a clock that is ahead: it is of now, or it
// would outlast all that follow.
void keep_way(correspondent& c, const peer::return_path& way, std::int64_t written_at, std::int64_t now);

// Tokens for a slot of ours, at most `count` and what the week allows; empty: none.
std::optional<peer::token_grant> grant_tokens(correspondent& c, const crypto::account_key& who,
                                              const crypto::account_key& relay, const relay::slot_secrets& ours,
                                              std::size_t count, std::int64_t now);
// A letter was refused: what it was paid with and what stood in it are as if it had not been written.
void letter_refused(correspondent& c, const held_token* paid, std::size_t granted);
// A full hand was given, for each of these slots.
void hand_given(correspondent& c, std::span<const relay::slot_id> ours);
// An item of hers came out of a slot of ours. One that was paid with work says that she has no token left.
void item_came(correspondent& c, const relay::token_serial& paid_by);
// Whether she should get a full hand of them: once a week, for a slot that is new to her, and when she may be short.
bool is_due_for_tokens(const correspondent& c, std::span<const relay::slot_id> ours, std::int64_t now);

// A key to seal to and the slots to leave it in: of her record, and of what she told last. Newest and best first.
struct reachable_by {
    std::uint32_t prekey_id = 0;
    std::optional<crypto::prekey> prekey;                    // nothing: no key of hers is good any more
    std::vector<relay::slot_address> slots;
};
reachable_by how_to_reach(const std::optional<peer::account_record>& record, const correspondent& c, std::int64_t now);

std::array<std::byte, 34> to_wire(const relay::delivery_token& t);
relay::delivery_token token_from_wire(bytes_view raw);       // of 34 bytes

}  // namespace pp::engine

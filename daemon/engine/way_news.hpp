// Another way leads to us: the slot that contacts leave mail in is another one. Each of them is told of it once, over a
// link or by a letter left at her relay (proto/peer/SPEC.md, "Letter"): who is never on when we are would go on writing
// to a relay that has us no more. Which change is told, to whom, and when. Pure; that it is owed stands in the
// correspondent's row (untold_since), written with the change itself.
#pragma once

#include "daemon/engine/correspondent.hpp"
#include "daemon/engine/own_relays.hpp"

#include <chrono>

namespace pp::engine {

// `relay use` of a new one and `relay drop` of the old one are one change; and a relay that sees several letters come
// from one place is not to take them for one person's contacts: each has its own moment.
inline constexpr auto way_settles = std::chrono::seconds(10), first_letter_spread = std::chrono::seconds(20);
inline constexpr auto between_letters = std::chrono::seconds(3), letter_spread = std::chrono::seconds(12);
inline constexpr auto letter_retry_first = std::chrono::minutes(1);
inline constexpr auto letter_retry_longest = std::chrono::hours(24);
// Who could not be told for so long learns of it with the next link, as everybody does.
inline constexpr auto way_owed_for = std::chrono::hours(30 * 24);
// Without a token of hers: no more than a relay asks of a stranger who has not been told otherwise. Nobody waits for
// the letter, and there is one for each contact.
inline constexpr std::uint8_t work_bits_for_news = relay::work_bits_default;

// The slot that is told, as it stands in the record; empty: there is none.
std::string told_slot(const std::vector<own_relay>& relays, const crypto::signing_key& account);
// A second relay beside the first is none: the way to us is the same. Nor is the end of the last one, which leaves
// nothing to tell.
bool is_news(const std::vector<own_relay>& before, const std::vector<own_relay>& after,
             const crypto::signing_key& account);
// Whether that slot is there: what is told is to be good.
bool is_usable(const std::vector<own_relay>& relays);
// Strangers, and who was blocked or removed, learn nothing.
bool hears_news(const storage::contact& c);
bool is_owed(const correspondent& c, storage::unix_ms now);

// Pauses; dice in [0, 1). None is longer than `longest`.
std::chrono::milliseconds first_letter_in(double dice, std::chrono::milliseconds longest);
std::chrono::milliseconds next_letter_in(double dice, std::chrono::milliseconds longest);
std::chrono::milliseconds letter_again_in(std::uint32_t failures, double dice, std::chrono::milliseconds longest);

}  // namespace pp::engine

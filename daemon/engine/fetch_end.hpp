// When a mail that was announced and does not come is no longer waited for (01-product 1.4: each ends somewhere), and
// who hears of it. Pure; the receiver counts, writes and answers.
#pragma once

#include "daemon/engine/last_word.hpp"

#include <string_view>
#include <vector>

namespace pp::engine {

// Of the sender's own node, one after the other: "it is not here". A disk that heals, a moment without file handles,
// are not the end; with the pauses between two tries over a link these are an hour.
inline constexpr std::uint32_t gone_answers_max = 20;
inline constexpr std::chrono::milliseconds gone_wait = std::chrono::hours(1);
// Whoever sends gives up after five days, and with what lies at relays after ten more at the most
// (engine/last_word.hpp): what could not be fetched for so long has no sender that waits. Not before so many tries
// since the start: this node may have been off.
inline constexpr std::uint32_t tries_since_start_min = 6;

// What the sender of a forged mail is told.
inline constexpr std::string_view forged_author_sentence =
    "the From field of the mail is not the sender's, so it is not taken";

enum class fetch_failure : std::uint8_t {
    withdrawn,       // the sender says that it was given up, or all relays where it may lie that it was taken back
    gone,            // the sender says that it is not there
    forged,          // it is here, and its From is not its sender's
    not_reached,     // everything else: no link, no relay, wrong bytes, a full disk
};
// What a relay says of the seed of a mail (proto/relay/SPEC.md, SEED STATE).
enum class seed_fate : std::uint8_t {
    there,           // whole or in part
    not_there,       // it never came there, or its time ran out
    deleted,         // with its secret, which only the sender and the recipient have
    no_answer,
};
// Why a mail did not come from relays; each: of every place where its seed may lie. It was taken back when nobody has
// it any more and it was deleted somewhere, not by us: we delete what is stored. "Not there" alone says nothing: the
// sender may still bring it. Nor does any of this while she is linked: then she says herself what has become of it.
fetch_failure asked_at_relays(const std::vector<seed_fate>& each, bool linked);

enum class fetch_verdict : std::uint8_t {
    again,
    forget,          // nobody is to be told
    refuse,          // the sender is told, once: she may still wait
};
struct fetch_end {
    fetch_verdict what = fetch_verdict::again;
    storage::inbound_row row;        // as it is to be written, unless it is forgotten
};
// tries: of this mail since the start of this node, this one with them.
fetch_end after_failure(storage::inbound_row row, fetch_failure why, std::uint32_t tries, storage::unix_ms now,
                        const delivery_times& times = {});

}  // namespace pp::engine

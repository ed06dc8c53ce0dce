// When a mail that was announced and does not come is no longer waited for (01-product 1.4: each ends somewhere), and
// who hears of it. Pure; the receiver counts, writes and answers.
#pragma once

#include "daemon/engine/last_word.hpp"

namespace pp::engine {

// Of the sender's own node, one after the other: "it is not here". A disk that heals, a moment without file handles,
// are not the end; with the pauses between two tries over a link these are an hour.
inline constexpr std::uint32_t gone_answers_max = 20;
inline constexpr std::chrono::milliseconds gone_wait = std::chrono::hours(1);
// Whoever sends gives up after five days, and with what lies at relays after ten more at the most
// (engine/last_word.hpp): what could not be fetched for so long has no sender that waits. Not before so many tries
// since the start: this node may have been off.
inline constexpr std::uint32_t tries_since_start_min = 6;

enum class fetch_failure : std::uint8_t {
    withdrawn,       // the sender says that it was given up
    gone,            // the sender says that it is not there
    not_reached,     // everything else: no link, no relay, wrong bytes, a full disk
};
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

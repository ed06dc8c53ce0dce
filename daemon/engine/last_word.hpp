// What is said of a mail whose time is over while something of it lies at relays (01-product 1.4: exactly one report,
// and what it says is true). What cannot be taken back may still be fetched, and what was fetched has arrived although
// no receipt says so: the mail stays open until that is decided, the relay's time for it is over, or twice the time for
// delivery has passed once more. Then the report says that nobody knows. Pure.
#pragma once

#include "daemon/engine/deposit.hpp"

namespace pp::engine {

inline constexpr int decided_within = 2;                     // of fail_after, behind the end of the time for delivery
// A relay counts the times of what it keeps in whole hours, and clears up once in one.
inline constexpr milliseconds relay_clears_within = std::chrono::hours(2);

// What may still become of it by what lies at relays.
enum class doubt : std::uint8_t {
    none,          // nothing: it is there no more, or nobody can know of it
    waits,         // a relay that cannot be asked may have it: it may still be fetched
    fetched,       // the recipient's node has taken it away, or a relay lies; her receipt has not come
};
doubt doubt_of(const deposit_notes& n, unix_ms now);

// An open row that may be given up now, its relays asked as far as they can be: failed; or open, as it was, while
// something is undecided. Rows that are not late come back as they were.
storage::outbox_row last_word(storage::outbox_row row, unix_ms now, const delivery_times& times = {});

// A failed row of which nobody knows whether its mail arrives.
bool is_in_doubt(const storage::outbox_row& row);

}  // namespace pp::engine

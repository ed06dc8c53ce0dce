// When the owner of a slot is told that no mail can wait for her at a relay (01-product 1.5): once for each trouble,
// and again only after it has worked in between. Pure; the daemon keeps the marks with the relay (own_relays.hpp) and
// writes them with the mail.
#pragma once

#include "daemon/engine/notice.hpp"
#include "daemon/engine/own_relays.hpp"

namespace pp::engine {

// So many in a row: a relay that is being set up says no for some seconds, and a network that has just come up carries
// nothing yet.
inline constexpr std::uint32_t relay_refusals_told = 5, relay_failures_noted = 6;
inline constexpr storage::unix_ms relay_away_told_ms = 24 * 60 * 60 * 1000;

// What the tries one after the other have brought, since it worked or this daemon started.
struct relay_tries {
    bool works = false;                          // the last one; else what came after that
    std::uint32_t refused = 0;                   // it was reached, and does not serve us
    std::uint32_t away = 0;                      // it was not reached
    storage::unix_ms away_since = 0;             // the first of these

    void worked() { *this = {true, 0, 0, 0}; }
    void was_refused() { *this = {false, refused + 1, 0, 0}; }
    void was_away(storage::unix_ms now) { *this = {false, 0, away + 1, away == 0 ? now : away_since}; }
};

enum class relay_trouble : std::uint8_t { none, refuses, away };
struct relay_lesson {
    own_relay after;                             // the marks as they are to be kept
    relay_trouble tell = relay_trouble::none;
};
relay_lesson learn(own_relay known, const relay_tries& tries, storage::unix_ms now);

// why: what relay list says. of: the account as a command names it; empty: the one that is meant without a name.
notice relay_notice(const own_relay& r, relay_trouble what, const std::string& why, std::string_view of);

}  // namespace pp::engine

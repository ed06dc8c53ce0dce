// Which change of relays contacts are told of, who is told, and when.
#include "daemon/engine/way_news.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;
using namespace std::chrono_literals;

namespace {

own_relay relay_of(std::uint8_t fill, std::string endpoint, bool opened = true) {
    own_relay r;
    r.relay.data.fill(std::byte{fill});
    r.endpoints = {std::move(endpoint)};
    r.opened = opened;
    return r;
}
crypto::signing_key account() {
    std::array<std::byte, 32> raw;
    raw.fill(std::byte{0x33});
    return crypto::signing_key(*crypto::ed25519_seed::from(raw));
}

}  // namespace

TEST_CASE("contacts are told when mail for us is to be left elsewhere", "[way_news]") {
    const auto me = account();
    const auto first = relay_of(1, "192.0.2.1:1"), second = relay_of(2, "192.0.2.2:2");
    const auto moved = relay_of(1, "192.0.2.9:1");
    CHECK(is_news({}, {first}, me));
    CHECK(is_news({first}, {second}, me));
    CHECK(is_news({first, second}, {second}, me));
    CHECK(is_news({first}, {moved}, me));             // the relay has another address
    CHECK_FALSE(is_news({first}, {first, second}, me));
    CHECK_FALSE(is_news({first, second}, {first}, me));
    CHECK_FALSE(is_news({first}, {}, me));            // there is nothing to tell
    CHECK_FALSE(is_news({}, {}, me));
    auto opened_again = first;
    opened_again.since = 7;
    CHECK_FALSE(is_news({first}, {opened_again}, me));
}

TEST_CASE("a slot is told of when it is there", "[way_news]") {
    CHECK_FALSE(is_usable({}));
    CHECK_FALSE(is_usable({relay_of(1, "192.0.2.1:1", false), relay_of(2, "192.0.2.2:2")}));
    CHECK(is_usable({relay_of(1, "192.0.2.1:1"), relay_of(2, "192.0.2.2:2", false)}));
    auto nowhere = relay_of(3, "");
    nowhere.endpoints.clear();
    CHECK(is_usable({nowhere, relay_of(1, "192.0.2.1:1")}));   // the record does not name the other
}

TEST_CASE("contacts hear of it, for a month, and nobody else", "[way_news]") {
    storage::contact c;
    c.accepted = false;
    CHECK_FALSE(hears_news(c));                       // a request
    c.accepted = true;
    CHECK(hears_news(c));
    c.blocked = true;
    CHECK_FALSE(hears_news(c));
    c.blocked = false;
    c.removed_at = 1;
    CHECK_FALSE(hears_news(c));
    correspondent known;
    CHECK_FALSE(is_owed(known, 1000));
    known.untold_since = 1000;
    CHECK(is_owed(known, 1000));
    CHECK(is_owed(known, 500));                       // the clock went back
    const auto month = std::chrono::milliseconds(way_owed_for).count();
    CHECK(is_owed(known, 1000 + month - 1));
    CHECK_FALSE(is_owed(known, 1000 + month));
}

TEST_CASE("letters have their pauses, which differ, and end", "[way_news]") {
    constexpr auto longest = std::chrono::milliseconds(std::chrono::hours(48));
    CHECK(first_letter_in(0, longest) == 10s);
    CHECK(first_letter_in(0.5, longest) == 20s);
    CHECK(first_letter_in(0.5, 5s) == 5s);
    CHECK(next_letter_in(0, longest) == 3s);
    CHECK(next_letter_in(0.5, longest) == 9s);
    CHECK(letter_again_in(0, 0, longest) == 1min);
    CHECK(letter_again_in(3, 0.5, longest) == 9min);
    CHECK(letter_again_in(1000, 0, longest) == 24h);
    // How many letters a relay that refuses them all can be offered for one change.
    std::size_t letters = 0;
    for (std::chrono::milliseconds at{}; at < way_owed_for; at += letter_again_in(letters - 1, 0, longest)) ++letters;
    CHECK(letters < 45);
}

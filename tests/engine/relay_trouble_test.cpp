// When the owner of a slot is told that no mail can wait at a relay, and in which words.
#include "daemon/engine/relay_trouble.hpp"
#include "tests/engine/accounts.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;

namespace {

constexpr storage::unix_ms begun = 1767225600000, minute = 60 * 1000, day = 24 * 60 * minute;

own_relay a_relay() {
    own_relay r;
    r.relay = accounts::key(3);
    r.endpoints = {"192.0.2.1:41443"};
    r.since = begun - day;
    r.opened = true;
    return r;
}

// Tries every minute until `to`; what was told, and the marks afterwards as a restart finds them.
std::vector<relay_trouble> away(own_relay& r, relay_tries& tries, storage::unix_ms from, storage::unix_ms to) {
    std::vector<relay_trouble> told;
    for (auto now = from; now < to; now += minute) {
        tries.was_away(now);
        auto lesson = learn(r, tries, now);
        if (lesson.tell != relay_trouble::none) told.push_back(lesson.tell);
        r = lesson.after;
    }
    const auto kept = decode_own_relays(encode(std::vector{r}));
    REQUIRE(kept.has_value());
    REQUIRE(kept->size() == 1);
    CHECK(kept->front() == r);
    return told;
}

std::vector<relay_trouble> refused(own_relay& r, relay_tries& tries, int times) {
    std::vector<relay_trouble> told;
    for (int i = 0; i < times; ++i) {
        tries.was_refused();
        auto lesson = learn(r, tries, begun);
        if (lesson.tell != relay_trouble::none) told.push_back(lesson.tell);
        r = lesson.after;
    }
    return told;
}

using told = std::vector<relay_trouble>;

}  // namespace

TEST_CASE("a relay that is away for a day is told of once, also over a restart") {
    auto r = a_relay();
    relay_tries tries;
    CHECK(away(r, tries, begun, begun + day - 10 * minute).empty());
    tries = {};                                                          // the daemon starts anew
    CHECK(away(r, tries, begun + day - 5 * minute, begun + 3 * day) == told{relay_trouble::away});
    tries = {};
    CHECK(away(r, tries, begun + 3 * day, begun + 5 * day).empty());
    // It works, and is away again.
    tries.worked();
    r = learn(r, tries, begun + 5 * day).after;
    CHECK(r == a_relay());
    CHECK(away(r, tries, begun + 6 * day, begun + 7 * day).empty());
    CHECK(away(r, tries, begun + 7 * day, begun + 8 * day) == told{relay_trouble::away});
}

TEST_CASE("a try or two that fail are no trouble, nor is a clock that was ahead") {
    auto r = a_relay();
    relay_tries tries;
    CHECK(away(r, tries, begun, begun + 5 * minute).empty());
    CHECK(r == a_relay());
    // Off for a week, with no network yet when it starts: nothing is known of the week.
    tries = {};
    CHECK(away(r, tries, begun + 7 * day, begun + 7 * day + 5 * minute).empty());
    r.away_since = begun + 100 * day;
    tries = {};
    CHECK(away(r, tries, begun, begun + day).empty());
    CHECK(away(r, tries, begun + day, begun + 2 * day) == told{relay_trouble::away});
}

TEST_CASE("a relay that refuses is told of at the fifth no in a row, once until it works") {
    auto r = a_relay();
    relay_tries tries;
    CHECK(refused(r, tries, 4).empty());
    tries.was_away(begun);
    CHECK(refused(r, tries, 4).empty());
    CHECK(refused(r, tries, 10) == told{relay_trouble::refuses});
    const auto kept = decode_own_relays(encode(std::vector{r}));
    REQUIRE(kept.has_value());
    r = kept->front();
    tries = {};
    CHECK(learn(r, tries, begun).after == r);                            // a start alone is no sign that it works
    CHECK(refused(r, tries, 10).empty());
    // Another trouble is told of beside it.
    CHECK(away(r, tries, begun, begun + 2 * day) == told{relay_trouble::away});
    tries.worked();
    r = learn(r, tries, begun).after;
    CHECK(refused(r, tries, 10) == told{relay_trouble::refuses});
}

TEST_CASE("relays without trouble are kept in the bytes of before") {
    auto r = a_relay();
    const auto before = encode(std::vector{r});
    CHECK(before.front() == std::byte{1});
    r.away_since = 5;
    const auto with = encode(std::vector{r});
    CHECK(with.size() == before.size() + 9);
    for (std::size_t size = 0; size < with.size(); ++size)
        CHECK_FALSE(decode_own_relays(bytes_view(with).first(size)).has_value());
}

TEST_CASE("the mail about a relay says what is wrong, why, and each command") {
    auto r = a_relay();
    r.away_since = begun;
    const auto label = crypto::account_label(r.relay);
    auto n = relay_notice(r, relay_trouble::refuses, "the relay\r\nsays no", {});
    for (const auto& part : {std::string("does not serve you: the relay"), std::string("peerpost relay list\n"),
                             std::string("peerpost relay use LINK\n"), "peerpost relay drop " + label + "\n",
                             std::string("192.0.2.1:41443")})
        CHECK(n.text.find(part) != std::string::npos);
    CHECK(n.text.find('\r') == std::string::npos);
    CHECK(n.subject == "A relay takes no mail for you any more");
    n = relay_notice(r, relay_trouble::away, "the relay cannot be reached", "abcd");
    CHECK(n.text.find("could not be reached since Thu, 01 Jan 2026") != std::string::npos);
    CHECK(n.text.find("peerpost relay drop --account abcd " + label + "\n") != std::string::npos);
    CHECK(n.text.find("peerpost relay use --account abcd LINK\n") != std::string::npos);
}

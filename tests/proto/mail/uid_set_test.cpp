// Sets of numbers against a plain std::set, and the wire form of RFC 9051 section 9 (sequence-set).
#include "proto/mail/uid_set.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace pp::mail;

namespace {

std::set<std::uint32_t> plain(const uid_set& set) {
    const auto values = set.values();
    return {values.begin(), values.end()};
}

void require_normal(const uid_set& set) {
    for (std::size_t i = 0; i < set.ranges().size(); ++i) {
        REQUIRE(set.ranges()[i].first <= set.ranges()[i].last);
        if (i > 0) REQUIRE(set.ranges()[i].first > std::uint64_t{set.ranges()[i - 1].last} + 1);
    }
}

std::string parsed(std::string_view text, std::uint32_t star = 100) {
    const auto set = parse_uid_set(text, star);
    if (!set) return set.error() == error_code(errc::bad_uid_set) ? "bad" : "other error";
    require_normal(*set);
    return set->text();
}

}  // namespace

TEST_CASE("uid_set behaves as a set") {
    std::mt19937 dice(7);
    for (int round = 0; round < 300; ++round) {
        uid_set set;
        std::set<std::uint32_t> model;
        for (int i = 0; i < 60; ++i) {
            const std::uint32_t a = 1 + dice() % 60, b = 1 + dice() % 60;
            switch (dice() % 4) {
                case 0: set.add(a); model.insert(a); break;
                case 1:
                    set.add(a, b);
                    for (auto n = std::min(a, b); n <= std::max(a, b); ++n) model.insert(n);
                    break;
                case 2: set.remove(uid_set::of(a, a)); model.erase(a); break;
                case 3: {
                    uid_set other;
                    other.add(a);
                    other.add(b, b + 2);
                    set.add(other);
                    model.insert({a, b, b + 1, b + 2});
                }
            }
            require_normal(set);
            REQUIRE(plain(set) == model);
            REQUIRE(set.count() == model.size());
            REQUIRE(set.contains(a) == model.contains(a));
        }
    }
}

TEST_CASE("uid_set at the ends of the numbers") {
    constexpr auto top = 0xffffffffu;
    auto set = uid_set::of(top - 1, top);
    set.add(1);
    set.add(top);
    set.add(2, top - 3);
    CHECK(set.text() == "1:4294967292,4294967294:4294967295");
    set.add(top - 2);
    CHECK(set.text() == "1:4294967295");
    CHECK(set.count() == top);
    set.remove(uid_set::of(top, top));
    set.remove(uid_set::of(1, 1));
    CHECK(set.text() == "2:4294967294");
    CHECK(uid_set::of(top, top).values() == std::vector<std::uint32_t>{top});
}

TEST_CASE("the wire form of sets") {
    CHECK(parsed("1") == "1");
    CHECK(parsed("1:3,7") == "1:3,7");
    CHECK(parsed("7,3:1,2") == "1:3,7");
    CHECK(parsed("*") == "100");
    CHECK(parsed("5:*") == "5:100");
    CHECK(parsed("200:*") == "100:200");
    CHECK(parsed("*:*,4294967295") == "100,4294967295");
    CHECK(parsed("4,5,6") == "4:6");
    CHECK(parsed("*", 0).empty());
    CHECK(parsed("1:*", 0).empty());
    CHECK(parsed("1:*,3", 0) == "3");
    for (const auto* bad : {"", "0", "01", "1,", ",1", "1:", ":1", "1:2:3", "a", "1 ", "-1", "+1", "4294967296", "**",
                            "0:*", "1;2"})
        CHECK(parsed(bad) == "bad");
}

TEST_CASE("a set has at most uid_set_ranges_max ranges on the wire") {
    std::string text = "1";
    for (std::size_t i = 1; i < uid_set_ranges_max; ++i) text += "," + std::to_string(1 + 2 * i);
    CHECK(parsed(text) == text);
    CHECK(parsed(text + ",1") == "bad");
}

TEST_CASE("what is removed from a set of numbers is gone, the rest is there") {
    std::mt19937 dice(4);
    for (int round = 0; round < 2000; ++round) {
        uid_set from, gone, right;
        std::set<std::uint32_t> a, b;
        for (unsigned i = dice() % 30; i-- > 0;) a.insert(1 + dice() % 40);
        for (unsigned i = dice() % 30; i-- > 0;) b.insert(1 + dice() % 40);
        for (const auto n : a) from.add(n);
        for (const auto n : b) gone.add(n);
        for (const auto n : a)
            if (!b.contains(n)) right.add(n);
        from.remove(gone);
        REQUIRE(from == right);
    }
    auto all = uid_set::of(1, 0xffffffff);
    all.remove(uid_set::of(5, 0xffffffff));
    CHECK(all == uid_set::of(1, 4));
}

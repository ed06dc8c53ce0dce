// Arithmetic with sets of UIDs against the plain way of doing it.
#include "proto/imap/uid_sets.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <random>
#include <set>

namespace {

using namespace pp;
using pp::mail::uid_set;

constexpr auto largest = std::numeric_limits<std::uint32_t>::max();

uid_set set_of(const std::set<std::uint32_t>& members) {
    uid_set out;
    for (const auto one : members) out.add(one);
    return out;
}

TEST_CASE("sets in common and without", "[imap][uid_sets]") {
    const auto a = *mail::parse_uid_set("1:5,10:20,30", 0), b = *mail::parse_uid_set("3,5:12,20:40", 0);
    CHECK(imap::common(a, b).text() == "3,5,10:12,20,30");
    CHECK(imap::without(a, b).text() == "1:2,4,13:19");
    CHECK(imap::without(a, {}) == a);
    CHECK(imap::common(a, {}).empty());
    const auto all = uid_set::of(1, largest);
    CHECK(imap::without(all, uid_set::of(largest, largest)).text() == "1:4294967294");
    CHECK(imap::without(all, all).empty());
    CHECK(imap::without(uid_set::of(largest, largest), uid_set::of(1, 5)).count() == 1);
}

TEST_CASE("sets of random members", "[imap][uid_sets]") {
    std::mt19937 dice(20240607);
    for (int round = 0; round < 2000; ++round) {
        std::set<std::uint32_t> a, b, both, rest;
        const auto span = 1 + dice() % 40;
        for (unsigned i = dice() % 30; i > 0; --i) a.insert(1 + dice() % span);
        for (unsigned i = dice() % 30; i > 0; --i) b.insert(1 + dice() % span);
        for (const auto one : a) (b.contains(one) ? both : rest).insert(one);
        REQUIRE(imap::common(set_of(a), set_of(b)) == set_of(both));
        REQUIRE(imap::without(set_of(a), set_of(b)) == set_of(rest));
    }
}

TEST_CASE("a set is walked in pieces", "[imap][uid_sets]") {
    const auto set = *mail::parse_uid_set("1:3,7,9:12", 0);
    imap::uid_set_walk walk(set);
    CHECK(walk.next(2).text() == "1:2");
    CHECK(walk.next(3).text() == "3,7,9");
    CHECK(walk.next(100).text() == "10:12");
    CHECK(walk.next(100).empty());
    for (const auto& [from, rest] :
         {std::pair{12u, "12"}, {9u, "9:12"}, {7u, "7,9:12"}, {2u, "2:3,7,9:12"}, {1u, "1:3,7,9:12"}}) {
        walk.go_back_to(from);
        CHECK(walk.next(100).text() == rest);
    }
    walk.go_back_to(1);
    CHECK(walk.next(2).text() == "1:2");
    walk.go_back_to(2);
    CHECK(walk.next(2).text() == "2:3");
}

}  // namespace

// Blinded daily keys: what the owner signs is an ordinary Ed25519 signature under the key that anybody who knows the
// account computes, and under no other.
#include "crypto/blinded_key.hpp"
#include "crypto/sha1.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace pp;
using namespace pp::crypto;

namespace {

signing_key key_of(int number) {
    ed25519_seed seed;
    seed.mutable_view()[0] = static_cast<std::byte>(number);
    seed.mutable_view()[1] = static_cast<std::byte>(number >> 8);
    return signing_key(seed);
}
account_key account_of(const signing_key& key) { return *account_key::from(key.public_key()); }

constexpr std::int64_t noon = 1'800'000'000;

discovery_day day_of(const account_key& account, std::int64_t at) { return *discovery_days_of(account, at).begin(); }

// The first moment of a new day of the account after noon.
std::int64_t change_after(const account_key& account, std::int64_t at) {
    std::int64_t low = at, high = at + 24 * 60 * 60;
    const auto day = day_of(account, at);
    while (high - low > 1) {
        const auto middle = low + (high - low) / 2;
        (day_of(account, middle) == day ? low : high) = middle;
    }
    return high;
}

}  // namespace

TEST_CASE("the ordinary Ed25519 check accepts what a blinded key signs, of its day only", "[blinded]") {
    for (int i = 0; i < 200; ++i) {
        const auto key = key_of(i);
        const auto day = static_cast<discovery_day>(20'000 + i);
        const blinded_signing_key blinded(key, day);
        const auto message = to_bytes("message " + std::to_string(i));
        const auto sig = blinded.sign(message);
        const auto found = blind(account_of(key), day);
        INFO("key " << i);
        REQUIRE(found.has_value());
        REQUIRE(*found == blinded.public_key());
        REQUIRE(verify(found->view(), message, sig));

        REQUIRE_FALSE(verify(blind(account_of(key), day + 1)->view(), message, sig));
        REQUIRE_FALSE(verify(key.public_key(), message, sig));
        REQUIRE_FALSE(verify(found->view(), to_bytes("another message"), sig));
        auto damaged = sig;
        damaged.data[static_cast<std::size_t>(i % 64)] ^= std::byte{1};
        REQUIRE_FALSE(verify(found->view(), message, damaged));
    }
}

TEST_CASE("two messages of a day and one message of two days never share a nonce", "[blinded]") {
    const auto key = key_of(7);
    std::set<std::string> halves;
    for (discovery_day day = 1; day <= 10; ++day)
        for (const auto* text : {"a", "b"}) {
            const auto sig = blinded_signing_key(key, day).sign(to_bytes(std::string_view(text)));
            REQUIRE(halves.insert(hex(sig.view().first(32))).second);
        }
    // And the same message gives the same signature: no randomness that could fail.
    REQUIRE(blinded_signing_key(key, 1).sign(to_bytes("a")) == blinded_signing_key(key, 1).sign(to_bytes("a")));
}

TEST_CASE("a key that nobody can own is not blinded", "[blinded]") {
    account_key zero;
    REQUIRE(blind(zero, 1).error() == errc::bad_text);
    account_key one;   // the neutral element
    one.data[0] = std::byte{1};
    REQUIRE(blind(one, 1).error() == errc::bad_text);
    account_key large;
    large.data.fill(std::byte{0xff});   // not canonical
    REQUIRE(blind(large, 1).error() == errc::bad_text);
    // A good key with a point of order 2 added (y and x negated): outside the group of prime order.
    auto mixed = account_of(key_of(3));
    std::array<std::byte, 32> negated_y;
    int borrow = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        const int p = i == 0 ? 0xed : i == 31 ? 0x7f : 0xff;
        const int y = std::to_integer<int>(mixed.data[i]) & (i == 31 ? 0x7f : 0xff);
        const int difference = p - y - borrow;
        negated_y[i] = static_cast<std::byte>(difference & 0xff);
        borrow = difference < 0;
    }
    negated_y[31] |= ~mixed.data[31] & std::byte{0x80};
    REQUIRE(blind(*account_key::from(negated_y), 1).error() == errc::bad_text);
}

TEST_CASE("two keys are valid for an hour on each side of the change of day", "[blinded]") {
    const auto account = account_of(key_of(1));
    const auto change = change_after(account, noon);
    const auto day = day_of(account, change);
    REQUIRE(day_of(account, change - 1) == day - 1);
    const auto days_at = [&](std::int64_t at) {
        const auto days = discovery_days_of(account, at);
        return std::vector<discovery_day>(days.begin(), days.end());
    };
    using list = std::vector<discovery_day>;
    CHECK(days_at(change - discovery_overlap_s - 1) == list{day - 1});
    CHECK(days_at(change - discovery_overlap_s) == list{day - 1, day});
    CHECK(days_at(change - 1) == list{day - 1, day});
    CHECK(days_at(change) == list{day, day - 1});
    CHECK(days_at(change + discovery_overlap_s - 1) == list{day, day - 1});
    CHECK(days_at(change + discovery_overlap_s) == list{day});
    CHECK(change_after(account, change) == change + 24 * 60 * 60);
}

TEST_CASE("accounts change day at different times", "[blinded]") {
    std::set<std::int64_t> changes;
    for (int i = 0; i < 20; ++i) changes.insert(change_after(account_of(key_of(i)), noon));
    REQUIRE(changes.size() >= 19);
}

TEST_CASE("clocks that are far wrong still have a day", "[blinded]") {
    const auto account = account_of(key_of(1));
    REQUIRE(discovery_days_of(account, std::numeric_limits<std::int64_t>::min()).count >= 1);
    REQUIRE(discovery_days_of(account, std::numeric_limits<std::int64_t>::max()).count >= 1);
}

TEST_CASE("SHA-1 of FIPS 180-4", "[blinded][sha1]") {
    CHECK(hex(sha1({}).view()) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    CHECK(hex(sha1({as_bytes("a"), as_bytes("bc")}).view()) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

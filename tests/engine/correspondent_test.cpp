// What is kept of somebody behind a relay: tokens to pay with, the way to answer, tokens given.
#include "daemon/engine/correspondent.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;

namespace {

constexpr std::int64_t now = 1767225600;
constexpr std::int64_t week = 7 * 86400;

crypto::account_key key(std::uint8_t fill) {
    crypto::account_key k;
    k.data.fill(std::byte{fill});
    return k;
}
relay::slot_secrets slot() {
    std::array<std::byte, 32> raw;
    raw.fill(std::byte{0x42});
    return relay::derive_slot(crypto::account_seed(raw), key(1), 0);
}

}  // namespace

TEST_CASE("tokens given are taken once, by the slot they are for, while they are good", "[correspondent]") {
    correspondent giver, taker;
    const auto ours = slot();
    const auto grant = grant_tokens(giver, key(9), key(1), ours, 3, now);
    REQUIRE(grant);
    REQUIRE(grant->tokens.size() == 3);
    keep_tokens(taker, *grant, now);
    keep_tokens(taker, *grant, now);              // a letter that is shown twice
    CHECK(taker.tokens.size() == 3);
    CHECK_FALSE(take_token(taker, key(2), ours.id(), now));
    const auto one = take_token(taker, key(1), ours.id(), now);
    REQUIRE(one);
    CHECK(relay::fits(*one, ours.id(), ours.tokens));
    CHECK(relay::in_time(*one, now));
    CHECK(relay::is_serial_of(ours.serials, one->serial, key(9)));
    CHECK(taker.tokens.size() == 2);
    CHECK_FALSE(take_token(taker, key(1), ours.id(), now + 14 * week));
    CHECK(taker.tokens.empty());
}

TEST_CASE("a week's tokens have an end, and all of one week look the same", "[correspondent]") {
    correspondent c;
    const auto ours = slot();
    const auto slots = std::vector{ours.id()};
    CHECK(is_due_for_tokens(c, slots, now));
    std::size_t given = 0;
    std::uint16_t until = 0;
    while (const auto grant = grant_tokens(c, key(9), key(1), ours, 100, now)) {
        CHECK(grant->tokens.size() <= peer::granted_tokens_max);
        if (until) CHECK(grant->week == until);
        until = grant->week;
        given += grant->tokens.size();
    }
    CHECK(given == tokens_given_in_a_week);
    CHECK_FALSE(is_due_for_tokens(c, slots, now));
    CHECK(is_due_for_tokens(c, slots, now + week));
    CHECK(grant_tokens(c, key(9), key(1), ours, 1, now + week));
}

TEST_CASE("a hand is due once a week, for a new slot, and when the last one is half spent", "[correspondent]") {
    correspondent c;
    const auto ours = slot();
    auto slots = std::vector{ours.id()};
    REQUIRE(grant_tokens(c, key(9), key(1), ours, 6, now));   // with an answer: no full hand
    CHECK(is_due_for_tokens(c, slots, now));
    const auto hand = grant_tokens(c, key(9), key(1), ours, tokens_given_at_once, now);
    REQUIRE(hand);
    hand_given(c, slots);
    CHECK_FALSE(is_due_for_tokens(c, slots, now));
    relay::token_serial serial;
    serial.data.fill(std::byte{7});
    for (int i = 1; i < tokens_short; ++i) item_came(c, serial);
    CHECK_FALSE(is_due_for_tokens(c, slots, now));
    item_came(c, serial);
    CHECK(is_due_for_tokens(c, slots, now));
    hand_given(c, slots);
    CHECK_FALSE(is_due_for_tokens(c, slots, now));
    item_came(c, {});                             // she had to work: she has none left
    CHECK(is_due_for_tokens(c, slots, now));
    hand_given(c, slots);
    slots.push_back({});
    CHECK(is_due_for_tokens(c, slots, now));      // a relay that is new to her
    while (grant_tokens(c, key(9), key(1), ours, tokens_given_at_once, now)) {}
    CHECK_FALSE(is_due_for_tokens(c, slots, now));
    REQUIRE(grant_tokens(c, key(9), key(1), ours, 1, now + week));
    CHECK(is_due_for_tokens(c, slots, now + week));
}

TEST_CASE("of too many tokens the newest stay", "[correspondent]") {
    correspondent giver, taker;
    const auto ours = slot();
    for (int i = 0; i < 6; ++i) keep_tokens(taker, *grant_tokens(giver, key(9), key(1), ours, 16, now), now);
    CHECK(taker.tokens.size() == held_tokens_max);
}

TEST_CASE("what is kept of a correspondent comes back", "[correspondent]") {
    correspondent c, giver;
    keep_tokens(c, *grant_tokens(giver, key(9), key(1), slot(), 2, now), now);
    keep_way(c, {7, {}, now + 100, "peerpost:slot/abc"}, now, now);
    c.given_week = 3;
    c.given = 4;
    const auto raw = encode(c);
    const auto again = decode_correspondent(raw);
    REQUIRE(again.has_value());
    CHECK(*again == c);
    for (std::size_t cut = 0; cut < raw.size(); ++cut)
        CHECK_FALSE(decode_correspondent(bytes_view(raw).first(cut)).has_value());
    hand_given(c, std::vector{slot().id()});
    item_came(c, {});
    CHECK(*decode_correspondent(encode(c)) == c);
    c.way.reset();
    c.way_told_at = 0;
    const auto with_hand = encode(c);
    CHECK(*decode_correspondent(with_hand) == c);
    for (std::size_t cut = 0; cut < with_hand.size(); ++cut)
        CHECK_FALSE(decode_correspondent(bytes_view(with_hand).first(cut)).has_value());
}

TEST_CASE("an older letter does not undo a newer one", "[correspondent]") {
    correspondent c;
    keep_way(c, {7, {}, now + 100, "new"}, now, now);
    keep_way(c, {6, {}, now + 200, "old"}, now - 1, now);
    CHECK(c.way->slot == "new");
}

TEST_CASE("a letter written by a clock that is ahead does not outlast those that follow", "[correspondent]") {
    constexpr std::int64_t year = 365 * 86400;
    correspondent c;
    keep_way(c, {7, {}, now + year, "dropped later"}, now + year, now);
    keep_way(c, {8, {}, now + 100, "new"}, now + 60, now + 90);      // her clock is right again
    CHECK(c.way->slot == "new");
    keep_way(c, {7, {}, now + year, "dropped later"}, now - 60, now + 90);
    CHECK(c.way->slot == "new");
    // It was ours that was ahead.
    keep_way(c, {9, {}, now + 100, "told then"}, now + year, now + year);
    keep_way(c, {10, {}, now + 100, "told now"}, now + 100, now + 120);
    CHECK(c.way->slot == "told now");
}

TEST_CASE("the way to somebody is of record and letters, the newer first", "[correspondent]") {
    relay::slot_address first{key(1), {}, {"192.0.2.1:1"}}, second{key(2), {}, {"192.0.2.2:2"}};
    peer::account_record record;
    record.sequence = static_cast<std::uint64_t>(now) * 1000;
    record.relays = {relay::encode_address(first)};
    crypto::prekey old_key, new_key;
    old_key.data.fill(std::byte{1});
    new_key.data.fill(std::byte{2});
    record.prekeys.push_back({1, old_key, now + 1000});
    correspondent c;
    auto reach = how_to_reach(record, c, now);
    REQUIRE(reach.prekey);
    CHECK(reach.prekey_id == 1);
    REQUIRE(reach.slots.size() == 1);
    CHECK(reach.slots[0].relay == first.relay);
    keep_way(c, {2, new_key, now + 2000, relay::encode_address(second)}, now + 1, now + 1);
    reach = how_to_reach(record, c, now);
    CHECK(reach.prekey_id == 2);
    REQUIRE(reach.slots.size() == 2);
    CHECK(reach.slots[0].relay == second.relay);
    reach = how_to_reach(std::nullopt, c, now);    // she is known by a letter alone
    CHECK(reach.prekey_id == 2);
    CHECK(reach.slots.size() == 1);
    reach = how_to_reach(record, c, now + 3000);   // all keys have run out
    CHECK_FALSE(reach.prekey);
}

TEST_CASE("what a contact is owed is kept, and goes with one encoding", "[correspondent]") {
    correspondent c;
    c.untold_since = now * 1000;
    for (int variant = 0; variant < 3; ++variant) {
        if (variant == 1) keep_way(c, {7, {}, now + 100, "peerpost:slot/abc"}, now, now);
        if (variant == 2) hand_given(c, std::vector{slot().id()});
        const auto raw = encode(c);
        CHECK(*decode_correspondent(raw) == c);
        for (std::size_t cut = 0; cut < raw.size(); ++cut)
            CHECK_FALSE(decode_correspondent(bytes_view(raw).first(cut)).has_value());
        auto nothing_owed = raw;
        std::fill(nothing_owed.end() - 8, nothing_owed.end(), std::byte{0});
        CHECK_FALSE(decode_correspondent(nothing_owed).has_value());
    }
}

TEST_CASE("a letter that was refused costs neither side a token", "[correspondent]") {
    correspondent giver, c;
    keep_tokens(c, *grant_tokens(giver, key(9), key(1), slot(), 2, now), now);
    const auto before = c;
    const auto token = take_token(c, key(1), slot().id(), now);
    REQUIRE(token);
    const auto grant = grant_tokens(c, key(8), key(1), slot(), 16, now);
    const held_token paid{key(1), slot().id(), *token};
    letter_refused(c, &paid, grant->tokens.size());
    CHECK(c.given == before.given);
    CHECK(c.tokens == before.tokens);
    letter_refused(c, nullptr, 1);                // of a week that is over
    CHECK(c.given == 0);
}

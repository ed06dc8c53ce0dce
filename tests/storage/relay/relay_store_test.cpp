// Slots and items of a relay's store: durability, tokens, quotas, ends.
#include "tests/storage/relay/relay_fixture.hpp"

using namespace relay_testing;
using error = pp::storage::relay::errc;

TEST_CASE_METHOD(relay_fixture, "items wait, in order, over a restart") {
    REQUIRE(open_slot(1).has_value());
    REQUIRE(open_slot(2).has_value());
    for (std::uint64_t i = 1; i <= 5; ++i) REQUIRE(deposit(1 + i % 2, token(i), item(i))->is_new);
    CHECK(deposit(3, token(9), item(9)).error() == error::no_slot);
    for (int restarts = 0; restarts < 2; ++restarts) {
        const auto list = store->items(named(1), 0, 256);
        REQUIRE(list->items.size() == 2);
        CHECK(list->items[0].item == item(2));
        CHECK(list->items[0].number == 1);
        CHECK(list->items[0].serial == named<16>(2));
        CHECK(list->items[1].item == item(4));
        CHECK(numbers(2) == std::vector<std::uint64_t>{1, 2, 3});
        CHECK(store->items(named(2), 1, 1)->items.at(0).item == item(3));
        CHECK(store->items(named(2), 1, 1)->more);
        CHECK_FALSE(store->items(named(2), 2, 1)->more);
        CHECK(store->items(named(2), ~std::uint64_t{0}, 1)->items.empty());
        CHECK(store->items(named(3), 0, 1).error() == error::no_slot);
        CHECK(store->status()->items == 5);
        CHECK(store->status()->slots == 2);
        reopen();
    }
    REQUIRE(erase(2, {1, 3, 77}).has_value());
    REQUIRE(erase(2, {1, 3, 77}).has_value());
    CHECK(numbers(2) == std::vector<std::uint64_t>{2});
    REQUIRE(erase(2, {2}).has_value());
    REQUIRE(deposit(2, token(20), item(20)).has_value());
    CHECK(numbers(2) == std::vector<std::uint64_t>{4});   // a number is never used twice
    CHECK(store->status()->items == 3);
}

TEST_CASE_METHOD(relay_fixture, "a deposit can be repeated and counts once") {
    REQUIRE(open_slot(1).has_value());
    REQUIRE(deposit(1, token(1), item(1))->is_new);
    CHECK_FALSE(deposit(1, token(1), item(1))->is_new);
    CHECK_FALSE(deposit(1, token(2), item(1))->is_new);       // and leaves the other token unspent
    CHECK(deposit(1, token(2), item(2))->is_new);
    CHECK(deposit(1, token(1), item(3)).error() == error::token_spent);
    reopen();
    CHECK(deposit(1, token(1), item(3)).error() == error::token_spent);
    REQUIRE(erase(1, {1}).has_value());
    const auto late = deposit(1, token(1), item(1));          // fetched and deleted meanwhile
    REQUIRE(late.has_value());
    CHECK_FALSE(late->is_new);
    CHECK(numbers(1) == std::vector<std::uint64_t>{2});
    REQUIRE(open_slot(2).has_value());
    CHECK(deposit(2, token(1), item(1))->is_new);             // serials are a slot's own
}

TEST_CASE_METHOD(relay_fixture, "one token pays for one item and one seed") {
    REQUIRE(open_slot(1).has_value());
    REQUIRE(begin(1, token(1), 50, 16384).has_value());
    REQUIRE(deposit(1, token(1), item(1))->is_new);
    CHECK(begin(1, token(1), 50, 16384).has_value());
    CHECK(begin(1, token(1), 51, 16384).error() == error::token_spent);
    CHECK(deposit(1, token(1), item(2)).error() == error::token_spent);
    reopen();
    CHECK(begin(1, token(1), 51, 16384).error() == error::token_spent);
    CHECK(store->status()->seeds == 1);
}

TEST_CASE_METHOD(relay_fixture, "a full slot keeps the oldest; strangers have a quarter") {
    REQUIRE(open_slot(1).has_value());
    REQUIRE(deposit(1, stranger(), item(1)).has_value());
    REQUIRE(deposit(1, stranger(), item(2)).has_value());
    CHECK(deposit(1, stranger(), item(3)).error() == error::slot_full);
    for (std::uint64_t i = 10; i < 16; ++i) REQUIRE(deposit(1, token(i), item(i)).has_value());
    CHECK(deposit(1, token(99), item(99)).error() == error::slot_full);
    CHECK_FALSE(deposit(1, token(10), item(10))->is_new);     // what is there is there
    reopen();
    CHECK(deposit(1, token(99), item(99)).error() == error::slot_full);
    CHECK(numbers(1).size() == 8);
    REQUIRE(erase(1, {1}).has_value());                        // a stranger's
    CHECK(deposit(1, stranger(), item(3))->is_new);
    CHECK(deposit(1, token(99), item(99)).error() == error::slot_full);
    REQUIRE(erase(1, {3}).has_value());
    CHECK(deposit(1, token(99), item(99))->is_new);           // a refusal has not spent it
    CHECK(deposit(1, token(98), bytes(item_bytes_max + 1)).error() == error::too_large);
    CHECK(deposit(1, token(98), {}).error() == error::too_large);
}

TEST_CASE_METHOD(relay_fixture, "serials that are remembered are bounded and forgotten after their week") {
    limits.spent_max = 3;
    reopen();
    REQUIRE(open_slot(1).has_value());
    for (std::uint64_t i = 1; i <= 3; ++i) {
        REQUIRE(deposit(1, token(i), item(i)).has_value());
        REQUIRE(erase(1, {i}).has_value());
    }
    CHECK(deposit(1, token(4), item(4)).error() == error::slot_full);
    CHECK(deposit(1, token(3), item(4)).error() == error::token_spent);
    sweep_all(now + 4 * week - 1);
    CHECK(deposit(1, token(4), item(4)).error() == error::slot_full);
    sweep_all(now + 4 * week);
    CHECK(deposit(1, token(4), item(4)).has_value());
}

TEST_CASE_METHOD(relay_fixture, "slots: settings, owners, limits, invites") {
    REQUIRE(open_slot(1, 7).has_value());
    CHECK(store->slot(named(1)).value()->stranger_bits == 8);
    CHECK(store->slot(named(1)).value()->tokens == named<32>(2));
    CHECK_FALSE(store->slot(named(2)).value().has_value());
    slot_opening other;
    other.slot = named(1);
    other.key = named<32>(99);
    CHECK(store->write_one([&](change& c) { return c.open_slot(other, now); }).error() == error::bad_proof);
    other.key = named<32>(1);
    other.stranger_bits = 3;
    REQUIRE(store->write_one([&](change& c) { return c.open_slot(other, now); }).has_value());
    CHECK(store->slot(named(1)).value()->stranger_bits == 3);
    CHECK(store->status()->slots == 1);
    REQUIRE(open_slot(2, 7).has_value());
    CHECK(open_slot(3, 7).error() == error::relay_full);
    REQUIRE(store->write_one([&](change& c) { return c.close_slot(named(1)); }).has_value());
    REQUIRE(store->write_one([&](change& c) { return c.close_slot(named(1)); }).has_value());
    CHECK(open_slot(3, 7).has_value());
    for (std::uint64_t i = 10; i < 18; ++i) REQUIRE(open_slot(i).has_value());
    CHECK(open_slot(18).error() == error::relay_full);
    REQUIRE(store->write_one([&](change& c) { return c.close_slot(named(17)); }).has_value());

    CHECK(open_slot(20, 0, named<16>(500)).error() == error::no_invite);
    REQUIRE(store->write_one([&](change& c) { return c.add_invite(named<16>(500), 1, now + day); }).has_value());
    reopen();
    CHECK(open_slot(20, 0, named<16>(500)).has_value());
    REQUIRE(store->write_one([&](change& c) { return c.close_slot(named(20)); }).has_value());
    CHECK(open_slot(21, 0, named<16>(500)).error() == error::no_invite);
    REQUIRE(store->write_one([&](change& c) { return c.add_invite(named<16>(501), 5, now - 1); }).has_value());
    CHECK(open_slot(21, 0, named<16>(501)).error() == error::no_invite);
    sweep_all(now);
    CHECK(open_slot(21).has_value());
}

TEST_CASE_METHOD(relay_fixture, "everything ends, and nothing is left") {
    REQUIRE(open_slot(1).has_value());
    REQUIRE(open_slot(2).has_value());
    for (std::uint64_t i = 1; i <= 4; ++i)
        REQUIRE(deposit(1 + i % 2, i == 3 ? stranger() : token(i), item(i), now + static_cast<std::int64_t>(i) * day)
                    .has_value());
    REQUIRE(begin(1, token(50), 50, 20000).has_value());
    REQUIRE(put(50, 0, content(20000)).has_value());
    REQUIRE(begin(2, stranger(), 51, 30000).has_value());
    REQUIRE(put(51, 0, content(20000)).has_value());
    CHECK(files() == 2);
    sweep_all(now + 14 * day - 1);
    CHECK(files() == 2);
    sweep_all(now + 14 * day);
    CHECK(files() == 0);
    CHECK(state(50).error() == error::not_found);
    CHECK(store->status()->items == 4);
    sweep_all(now + 31 * day - 1);
    CHECK(store->status()->items == 4);
    sweep_all(now + 32 * day);
    CHECK(store->status()->items == 2);
    CHECK(numbers(2) == std::vector<std::uint64_t>{2});
    REQUIRE(store->write_one([&](change& c) { return c.touch_slot(named(2), now + 100 * day); }).has_value());
    sweep_all(now + 181 * day);
    CHECK(store->status()->items == 0);
    CHECK(store->status()->slots == 1);
    CHECK(store->status()->bytes == 0);
    reopen();
    CHECK(*store->sweep(now + 281 * day, false) == 0);      // its owner is to have time to come
    CHECK(store->status()->slots == 1);
    sweep_all(now + 281 * day);
    CHECK(store->status()->slots == 0);
    const auto left = store->sweep(now + 1000 * 365 * day);
    CHECK(*left == 0);
}

TEST_CASE_METHOD(relay_fixture, "a visit by a clock that is behind takes no time from a slot") {
    REQUIRE(open_slot(1).has_value());
    REQUIRE(store->write_one([&](change& c) { return c.touch_slot(named(1), now - 365 * day); }).has_value());
    sweep_all(now + 180 * day - 1);
    CHECK(store->status()->slots == 1);
}

TEST_CASE_METHOD(relay_fixture, "closing a slot takes all of it, also in the middle of a sweep") {
    REQUIRE(open_slot(1).has_value());
    for (std::uint64_t i = 1; i <= 4; ++i) REQUIRE(deposit(1, token(i), item(i)).has_value());
    REQUIRE(begin(1, token(50), 50, 20000).has_value());
    REQUIRE(put(50, 0, content(20000)).has_value());
    REQUIRE(begin(1, token(51), 51, 20000).has_value());
    REQUIRE(remove(51, 58).has_value());
    sweep_all(now + 1000 * day);          // slot, items, tokens, seeds at once
    CHECK(store->status()->slots == 0);
    CHECK(store->status()->items == 0);
    CHECK(store->status()->bytes == 0);
    CHECK(files() == 0);
    REQUIRE(open_slot(1).has_value());
    CHECK(numbers(1).empty());
    CHECK(deposit(1, token(1), item(1))->is_new);
}

TEST_CASE_METHOD(relay_fixture, "a group: what is refused leaves the others alone") {
    REQUIRE(open_slot(1).has_value());
    std::vector<relay_store::job> jobs;
    for (std::uint64_t i = 0; i < 6; ++i)
        jobs.push_back([i](change& c) -> result<void> {
            const auto r = c.deposit(named(i % 2 == 0 ? 1 : 9), token(i + 1), item(i), now);
            if (!r) return r.error();
            return {};
        });
    const auto results = store->write(jobs);
    for (std::size_t i = 0; i < 6; ++i) CHECK(results[i].has_value() == (i % 2 == 0));
    CHECK(results[1].error() == error::no_slot);
    CHECK(numbers(1).size() == 3);
}

TEST_CASE_METHOD(relay_fixture, "the index grows when it must") {
    limits = {};
    limits.reserve_bytes = 0;
    limits.items_max = 100000;
    limits.spent_max = 100000;
    reopen();
    REQUIRE(open_slot(1).has_value());
    std::uint64_t n = 0;
    for (int group = 0; group < 40; ++group) {       // 40 000 items are more than the first 64 MiB
        std::vector<relay_store::job> jobs;
        for (int i = 0; i < 1000; ++i)
            jobs.push_back([k = ++n](change& c) -> result<void> {
                const auto r = c.deposit(named(1), token(k), item(k), now);
                if (!r) return r.error();
                return {};
            });
        for (const auto& r : store->write(jobs)) REQUIRE(r.has_value());
    }
    CHECK(store->status()->items == n);
    reopen();
    CHECK(store->status()->items == n);
    CHECK(store->items(named(1), n - 1, 5)->items.at(0).item == item(n));
}

TEST_CASE_METHOD(relay_fixture, "another key opens nothing") {
    REQUIRE(open_slot(1).has_value());
    const auto right = key.clone();
    key = crypto::random<crypto::row_key>();
    CHECK(try_open().error() == storage::errc::wrong_secret);
    key = right.clone();
    reopen();
    CHECK(store->slot(named(1))->has_value());
}

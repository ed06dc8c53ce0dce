// Seeds of a relay's store: uploads that go on, what is believed after a crash, quotas.
#include "tests/storage/relay/relay_fixture.hpp"

using namespace relay_testing;
using error = pp::storage::relay::errc;

TEST_CASE_METHOD(relay_fixture, "a seed comes in pieces and goes with its secret") {
    REQUIRE(open_slot(1).has_value());
    const auto all = content(200000);
    REQUIRE(begin(1, token(1), 50, all.size()).has_value());
    CHECK(put(51, 0, all).error() == error::not_found);
    for (std::size_t at = 0; at < all.size(); at += 30000) {
        const auto n = std::min<std::size_t>(30000, all.size() - at);
        CHECK(put(50, at + 1, content(10)).error() == error::wrong_offset);
        CHECK(store->read_seed(named<32>(50), 0, 10).error() == error::not_found);
        const auto r = put(50, at, bytes_view(all).subspan(at, n));
        REQUIRE(r.has_value());
        CHECK(r->have_bytes == at + n);
        CHECK(state(50)->have_bytes == at + n);
        CHECK((r->phase == seed_phase::whole) == (at + n == all.size()));
    }
    CHECK(put(50, 0, all)->phase == seed_phase::whole);      // a piece that came twice
    CHECK((whole(50) == all));
    CHECK(store->read_seed(named<32>(50), all.size(), 1).error() == error::not_found);
    reopen();
    CHECK((whole(50) == all));
    CHECK(store->status()->bytes == all.size());
    CHECK(remove(50, 1).error() == error::bad_proof);
    CHECK(remove(51, 58).error() == error::not_found);
    CHECK((whole(50) == all));
    REQUIRE(remove(50, 57).has_value());
    REQUIRE(remove(50, 57).has_value());
    CHECK(files() == 0);
    CHECK(store->status()->bytes == 0);
    CHECK(store->status()->seeds == 0);
    CHECK(whole(50).empty());
    CHECK(put(50, 0, content(10))->phase == seed_phase::deleted);
    CHECK(begin(1, token(2), 50, all.size())->phase == seed_phase::deleted);
    CHECK(begin(1, token(2), 52, all.size())->phase == seed_phase::partial);   // that has not spent the token
    sweep_all(now + 14 * day);
    CHECK(state(50).error() == error::not_found);
}

TEST_CASE_METHOD(relay_fixture, "after a crash only what was synced is believed") {
    limits.seed_total_max = limits.seed_bytes_max = 64 << 20;
    reopen();
    REQUIRE(open_slot(1).has_value());
    const auto all = content(20 << 20);
    REQUIRE(begin(1, token(1), 50, all.size()).has_value());
    std::uint64_t have = 0;
    const auto upload = [&](std::uint64_t until) {
        while (have < until) {
            const auto n = std::min<std::uint64_t>(256 * 1024, until - have);
            const auto r = put(50, have, bytes_view(all).subspan(have, n));
            REQUIRE(r.has_value());
            have = r->have_bytes;
        }
    };
    upload(10 << 20);
    reopen();
    CHECK(state(50)->have_bytes == sync_step_bytes);          // 2 MiB were not synced
    CHECK(put(50, 10 << 20, content(10)).error() == error::wrong_offset);
    // What lies behind it may be anything after a power cut.
    const auto path = *std::find_if(std::filesystem::recursive_directory_iterator(folder / "seeds"), {},
                                    [](auto& e) { return e.is_regular_file(); });
    std::ofstream(path.path(), std::ios::app | std::ios::binary) << std::string(15 << 20, 'x');
    reopen();
    have = state(50)->have_bytes;
    upload(all.size());
    CHECK(state(50)->phase == seed_phase::whole);
    CHECK(std::filesystem::file_size(path.path()) == all.size());
    reopen();
    CHECK((whole(50) == all));
    // A file that lost its end (nothing of ours does that) is partly here, not whole.
    std::filesystem::resize_file(path.path(), 1000);
    reopen();
    CHECK(state(50)->phase == seed_phase::partial);
    CHECK(state(50)->have_bytes == 1000);
    have = 1000;
    upload(all.size());
    CHECK((whole(50) == all));
    std::filesystem::remove(path.path());
    reopen();
    CHECK(state(50)->have_bytes == 0);
}

TEST_CASE_METHOD(relay_fixture, "files nobody knows go at the start") {
    REQUIRE(open_slot(1).has_value());
    REQUIRE(begin(1, token(1), 50, 20000).has_value());
    REQUIRE(put(50, 0, content(20000)).has_value());
    std::filesystem::create_directories(folder / "seeds" / "ab");
    for (const auto* name : {"ab0011223344556677889900aabbccdd", "zz", "ab"})
        std::ofstream(folder / "seeds" / "ab" / name) << "x";
    CHECK(files() == 4);
    reopen();
    CHECK(files() == 1);
    CHECK((whole(50) == content(20000)));
}

TEST_CASE_METHOD(relay_fixture, "quotas of seeds") {
    REQUIRE(open_slot(1).has_value());
    REQUIRE(open_slot(2).has_value());
    CHECK(begin(9, token(1), 50, 20000).error() == error::no_slot);
    CHECK(begin(1, token(1), 50, 0).error() == error::too_large);
    CHECK(begin(1, token(1), 50, limits.seed_bytes_max + 1).error() == error::too_large);
    REQUIRE(begin(1, token(1), 50, limits.seed_bytes_max).has_value());
    REQUIRE(begin(1, token(2), 51, limits.seed_bytes_max).has_value());
    CHECK(begin(1, token(3), 52, 1).error() == error::slot_full);
    CHECK(begin(2, token(1), 50, 20000).error() == error::bad_proof);          // another slot's locator
    REQUIRE(remove(50, 57).has_value());
    CHECK(begin(1, token(3), 52, limits.seed_bytes_max).has_value());
    CHECK(begin(2, stranger(), 60, limits.seed_total_max / stranger_share + 1).error() == error::slot_full);
    REQUIRE(begin(2, stranger(), 60, limits.seed_total_max / stranger_share).has_value());
    CHECK(begin(2, stranger(), 61, 1).error() == error::slot_full);
    CHECK(begin(2, token(9), 61, 1).has_value());
    CHECK(put(61, 0, content(2)).error() == error::too_large);
    limits.seed_bytes_max = limits.seed_total_max = 1 << 30;
    reopen();
    CHECK(begin(2, stranger(), 62, stranger_seed_bytes_max + 1).error() == error::too_large);
    CHECK(begin(2, stranger(), 62, stranger_seed_bytes_max).has_value());
    limits.bytes_total_max = store->status()->bytes + 2000;
    reopen();
    CHECK(begin(2, token(10), 63, 2001).error() == error::relay_full);
    CHECK(deposit(2, token(10), item(1)).has_value());
    CHECK(begin(2, token(10), 63, 977).error() == error::relay_full);
    CHECK(begin(2, token(10), 63, 976).has_value());
    CHECK(deposit(2, token(11), item(2)).error() == error::relay_full);
    limits.bytes_total_max = 0;
    limits.reserve_bytes = std::uint64_t{1} << 60;
    reopen();
    CHECK(begin(2, token(12), 64, 1000).error() == error::relay_full);
    CHECK(deposit(2, token(12), item(3)).error() == error::relay_full);
    CHECK(put(62, 0, content(100)).error() == error::relay_full);
    CHECK(open_slot(5).error() == error::relay_full);
    CHECK(erase(2, {1}).has_value());                                          // giving back always works
    CHECK(remove(62, 69).has_value());
}

TEST_CASE_METHOD(relay_fixture, "a seed is kept longer by paying again, once for each token") {
    REQUIRE(open_slot(1).has_value());
    REQUIRE(begin(1, token(1), 50, 20000).has_value());
    CHECK(state(50)->ttl_s == 14 * day);
    CHECK(begin(1, token(1), 50, 20000, now + 10 * day)->ttl_s == 4 * day);
    CHECK(begin(1, token(2), 50, 20000, now + 10 * day)->ttl_s == 14 * day);
    CHECK(begin(1, token(2), 50, 20000, now + 12 * day)->ttl_s == 12 * day);
    CHECK(begin(1, token(2), 51, 20000, now + 12 * day).error() == error::token_spent);
    CHECK(begin(1, stranger(), 50, 20000, now + 12 * day)->ttl_s == 14 * day);
    CHECK(begin(1, stranger(), 50, 20000, now)->ttl_s == 26 * day);            // a clock that went back takes nothing
    sweep_all(now + 26 * day - 1);
    CHECK(state(50, now + 26 * day - 1).has_value());
    sweep_all(now + 26 * day);
    CHECK(state(50).error() == error::not_found);
    CHECK(store->status()->bytes == 0);
}

TEST_CASE_METHOD(relay_fixture, "more uploads than files may be open") {
    limits.seed_total_max = 1 << 30;
    limits.spent_max = 1000;
    reopen();
    REQUIRE(open_slot(1).has_value());
    const auto all = content(60000);
    constexpr std::uint64_t uploads = uploads_open_max + 20;
    for (std::uint64_t i = 1; i <= uploads; ++i) REQUIRE(begin(1, token(i), 1000 + i, all.size()).has_value());
    for (std::size_t at = 0; at < all.size(); at += 20000)
        for (std::uint64_t i = 1; i <= uploads; ++i) {
            const auto r = put(1000 + i, at, bytes_view(all).subspan(at, 20000));
            INFO((r ? std::string() : r.error().message()));
            REQUIRE(r.has_value());
        }
    for (std::uint64_t i = 1; i <= uploads; ++i) CHECK((whole(1000 + i) == all));
}

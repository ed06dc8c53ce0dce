// What the tests of a relay's store share.
#pragma once

#include "storage/relay/relay_store.hpp"
#include "tests/proto/peer/print_results.hpp"
#include "tests/storage/store_fixture.hpp"

namespace relay_testing {

using namespace pp;
using namespace pp::storage::relay;
using pp::storage::testing::temporary_folder;
namespace durable = pp::storage::durable;

inline constexpr std::int64_t now = 1767225600;       // 2026-01-01 00:00:00 UTC
inline constexpr std::int64_t day = 86400, week = 7 * day;

template <std::size_t N = 16>
std::array<std::byte, N> named(std::uint64_t n) {     // never zeros
    std::array<std::byte, N> out;
    out.fill(std::byte{0x5a});
    for (int i = 0; i < 8; ++i) out[static_cast<std::size_t>(i)] = static_cast<std::byte>(n >> (8 * i));
    return out;
}
inline bytes item(std::uint64_t n) {
    bytes out(item_bytes_max, std::byte{0x11});
    const auto name = named<16>(n);
    std::copy(name.begin(), name.end(), out.begin());
    return out;
}
inline bytes content(std::size_t n, std::uint8_t first = 1) {
    bytes out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>(first + i * 7 + (i >> 9));
    return out;
}
inline payer token(std::uint64_t n) { return {named<16>(n), now + 4 * week}; }
inline payer stranger() { return {}; }

inline store_limits small_limits() {
    store_limits l;
    l.items_max = 8;
    l.seed_total_max = 1 << 20;
    l.seed_bytes_max = 512 * 1024;
    l.spent_max = 100;
    l.slots_max = 10;
    l.slots_per_owner_max = 2;
    l.reserve_bytes = 0;
    return l;
}

struct relay_fixture {
    temporary_folder home;
    std::filesystem::path folder = home.path / "relay";
    crypto::row_key key = crypto::random<crypto::row_key>();
    store_limits limits = small_limits();
    std::unique_ptr<relay_store> store;

    relay_fixture() { reopen(); }
    result<void> try_open() {
        store.reset();
        auto opened = relay_store::open(folder, key, limits);
        if (!opened) return opened.error();
        store = std::move(*opened);
        return {};
    }
    void reopen() {
        const auto opened = try_open();
        INFO((opened ? std::string() : opened.error().message()));
        REQUIRE(opened.has_value());
    }
    result<void> open_slot(std::uint64_t n, std::uint64_t owner = 0, std::optional<id16> invite = {}) {
        slot_opening o;
        o.slot = named(n);
        o.key = named<32>(n);
        o.tokens = named<32>(n + 1);
        o.stranger_bits = 8;
        o.owner = to_bytes(bytes_view(named<32>(owner == 0 ? 1000 + n : owner)));
        o.invite = invite;
        return store->write_one([&](change& c) { return c.open_slot(o, now); });
    }
    result<deposited> deposit(std::uint64_t slot, const payer& by, const bytes& what, std::int64_t at = now) {
        result<deposited> out = deposited{};
        const auto r = store->write_one([&](change& c) -> result<void> {
            out = c.deposit(named(slot), by, what, at);
            if (!out) return out.error();
            return {};
        });
        if (!r) return r.error();
        return out;
    }
    result<void> erase(std::uint64_t slot, std::vector<std::uint64_t> numbers) {
        return store->write_one([&](change& c) { return c.erase_items(named(slot), numbers); });
    }
    result<seed_state> begin(std::uint64_t slot, const payer& by, std::uint64_t where, std::uint64_t size,
                             std::int64_t at = now) {
        result<seed_state> out = seed_state{};
        const seed_beginning seed{named(slot), by, named<32>(where), size, named<32>(where + 7)};
        const auto r = store->write_one([&](change& c) -> result<void> {
            out = c.begin_seed(seed, at);
            if (!out) return out.error();
            return {};
        });
        if (!r) return r.error();
        return out;
    }
    result<seed_state> put(std::uint64_t where, std::uint64_t offset, bytes_view data) {
        return store->put_seed(named<32>(where), offset, data, now);
    }
    result<void> remove(std::uint64_t where, std::uint64_t proof) {
        return store->write_one([&](change& c) { return c.delete_seed(named<32>(where), named<32>(proof)); });
    }
    result<seed_state> state(std::uint64_t where, std::int64_t at = now) { return store->seed(named<32>(where), at); }
    bytes whole(std::uint64_t where) {
        bytes out;
        for (;;) {
            const auto piece = store->read_seed(named<32>(where), out.size(), 100000);
            if (!piece || piece->data.empty()) return out;
            out.insert(out.end(), piece->data.begin(), piece->data.end());
            if (out.size() >= piece->size_bytes) return out;
        }
    }
    std::vector<std::uint64_t> numbers(std::uint64_t slot) {
        const auto list = store->items(named(slot), 0, 256);
        REQUIRE(list.has_value());
        std::vector<std::uint64_t> out;
        for (const auto& i : list->items) out.push_back(i.number);
        return out;
    }
    std::size_t files() const {
        std::size_t n = 0;
        for (const auto& e : std::filesystem::recursive_directory_iterator(folder / "seeds")) n += e.is_regular_file();
        return n;
    }
    void sweep_all(std::int64_t at) {
        for (int i = 0; i < 1000; ++i) {
            const auto n = store->sweep(at);
            REQUIRE(n.has_value());
            if (*n < sweep_rows_max) return;
        }
        FAIL("the sweep does not end");
    }
};

}  // namespace relay_testing

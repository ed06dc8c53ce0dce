// Every byte of a relay's index flipped, one at a time: what is acknowledged is there or is missed by name, nothing is
// made up, the process lives, and the next start is a clean one. PEERPOST_LONG=1 flips every byte; else a sample,
// another one each time: PEERPOST_SEED=n plays one again.
#include "storage/view_structure.hpp"
#include "tests/storage/flips.hpp"
#include "tests/storage/relay/relay_fixture.hpp"

#include <cerrno>
#include <fstream>
#include <random>

using namespace pp::storage::testing;
using namespace relay_testing;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t slots_made = 6, items_each = 7;
constexpr std::uint64_t flips = 250;                 // where a sample is enough

void fill(relay_fixture& f) {
    for (std::uint64_t s = 1; s <= slots_made; ++s) {
        REQUIRE(f.open_slot(s));
        for (std::uint64_t n = 0; n < items_each; ++n) REQUIRE(f.deposit(s, token(100 * s + n), item(100 * s + n)));
        REQUIRE(f.begin(s, token(100 * s), 1000 * s, 3000));
        REQUIRE(f.put(1000 * s, 0, content(3000, static_cast<std::uint8_t>(s))));
    }
    REQUIRE(f.erase(1, {1, 2}));
    REQUIRE(f.store->write_one([](change& c) { return c.add_invite(named(77), 2, now + week); }));
}

struct found {
    std::uint64_t slots = 0, items = 0, seeds = 0;
    bool whole() const { return slots == slots_made && items == slots_made * items_each - 2 && seeds == slots_made; }
};

// What is there of what was put there; wrong: something that never was.
found look(relay_fixture& f, bool& wrong) {
    found out;
    for (std::uint64_t s = 1; s <= slots_made; ++s) {
        const auto slot = f.store->slot(named(s));
        if (!slot || !*slot) continue;
        ++out.slots;
        if ((*slot)->key != named<32>(s) || (*slot)->tokens != named<32>(s + 1)) wrong = true;
        const auto list = f.store->items(named(s), 0, 256);
        if (!list) continue;
        std::uint64_t before = 0;
        for (const auto& i : list->items) {
            if (i.number <= before || i.number > items_each || i.item != item(100 * s + i.number - 1) ||
                i.serial != named(100 * s + i.number - 1))
                wrong = true;
            before = i.number;
        }
        out.items += list->items.size();
        if ((*slot)->items != list->items.size()) wrong = true;
        const auto seed = f.state(1000 * s);
        if (!seed || seed->phase != seed_phase::whole) continue;
        if (f.whole(1000 * s) != content(3000, static_cast<std::uint8_t>(s))) wrong = true;
        ++out.seeds;
    }
    return out;
}

enum said : int { all_right = 0, told = 1, silent_loss = 2, made_up = 3, refused = 4, not_usable = 5, not_settled = 6 };

// In a process of its own: what does the relay say of the damaged index?
int judge(relay_fixture& f) {
    if (!f.try_open()) return refused;
    const bool mended = !f.store->recovered().kept_as.empty();
    bool wrong = false;
    const auto has = look(f, wrong);
    if (wrong) return made_up;
    if (!has.whole() && !mended) return silent_loss;
    // What it says it saved is there.
    const auto status = f.store->status();
    if (!status || status->slots != has.slots || status->items != has.items) return made_up;
    // It takes more, and what ends ends.
    if (!f.open_slot(50) || !f.deposit(50, token(9000), item(9000))) return not_usable;
    for (std::uint64_t s = 1; s <= slots_made; ++s)
        if (const auto again = f.deposit(s, token(100 * s + 5), item(100 * s + 5)); !again && has.slots == slots_made)
            return not_usable;
    const auto checked = f.store->check();
    if (!checked || !checked->lost.empty()) return not_usable;
    if (!f.try_open() || !f.store->recovered().kept_as.empty()) return not_settled;
    for (int i = 0; i < 1000; ++i) {
        const auto n = f.store->sweep(now + 400 * day);
        if (!n) return not_usable;
        if (*n < sweep_rows_max) break;
    }
    const auto emptied = f.store->status();
    if (!emptied || emptied->slots + emptied->items + emptied->seeds != 0) return not_usable;
    return mended ? told : all_right;
}

}  // namespace

TEST_CASE("flipped bytes anywhere in a relay's index: what is missing is missed by name") {
    relay_fixture f;
    f.limits.slots_max = 100;
    f.reopen();
    fill(f);
    f.store.reset();
    const saved_folder saved(f.folder, f.home.path / "saved");
    const bool every = std::getenv("PEERPOST_LONG") != nullptr;
    const auto seed = seed_of_this_run();
    std::mt19937 dice(seed);
    const auto size = fs::file_size(saved.copy() / "index");
    const std::uint64_t step = std::max<std::uint64_t>(1, size / flips);
    std::array<int, 2> seen{};
    for (std::uint64_t at = every ? 0 : dice() % step; at < size; at += every ? 1 : 1 + dice() % (2 * step)) {
        const auto pattern = static_cast<std::byte>(dice() % 3 == 0 ? 0xff : 1u << (dice() % 8));
        INFO("seed " << seed << ", byte " << at << " pattern " << static_cast<int>(pattern));
        saved.put_back();
        flip_byte(f.folder / "index", at, pattern);
        const int got = in_a_child([&] { return judge(f); });
        INFO("it said " << got << " (enum said; below 0: a signal)");
        REQUIRE((got == all_right || got == told));
        ++seen[static_cast<std::size_t>(got)];
    }
    std::printf("seed %u: %d flips of the index without effect, %d found and mended\n", seed, seen[0], seen[1]);
    CHECK(seen[told] > 0);
}

TEST_CASE("a relay's index that was cut, emptied or overwritten is put aside and made anew") {
    relay_fixture f;
    fill(f);
    f.store.reset();
    const saved_folder saved(f.folder, f.home.path / "saved");
    const auto size = fs::file_size(saved.copy() / "index");
    const auto at_path = f.folder / "index";
    const auto spoil = [&](const std::string& how) {
        if (how == "cut in the middle") fs::resize_file(at_path, size / 2);
        if (how == "one page short") fs::resize_file(at_path, size - 4096);
        if (how == "empty") fs::resize_file(at_path, 0);
        if (how == "noise") std::ofstream(at_path, std::ios::binary) << std::string(20000, 'x');
        if (how == "leaf pages of zeros") {
            const auto all = durable::read_file(at_path, 1 << 30).value();
            for (std::size_t page = 2; page < all.size() / 4096; ++page)
                if (all[page * 4096 + 10] == std::byte{2} && page % 2) {
                    const auto file = durable::open_file(at_path, durable::mode::read_write).value();
                    REQUIRE(file.write_at(page * 4096, bytes(4096)));
                }
        }
    };
    for (const auto* how : {"cut in the middle", "one page short", "empty", "noise", "leaf pages of zeros"}) {
        INFO(how);
        saved.put_back();
        spoil(how);
        const auto spoilt = durable::read_file(at_path, 1 << 30).value();
        REQUIRE(in_a_child([&] { return judge(f); }) == told);
        CHECK((durable::read_file(f.folder / "index.damaged-1", 1 << 30).value() == spoilt));
        const bool nothing_left = std::string_view(how) == "empty" || std::string_view(how) == "noise";
        saved.put_back();
        spoil(how);
        REQUIRE(f.try_open());
        const auto notes = f.store->recovered().notes();
        REQUIRE(notes.size() >= 2);
        CHECK(notes[0].find("index.damaged-1") != std::string::npos);
        CHECK(f.store->recovered().nothing_opens == nothing_left);
        CHECK((notes.back().find("peerpost relay link") != std::string::npos) == nothing_left);
        REQUIRE(f.store->check());
        CHECK(f.store->check()->warnings.size() == notes.size());
        f.reopen();
        REQUIRE(f.store->check()->warnings.size() == 1);      // it is still kept
        f.store.reset();
    }
}

TEST_CASE("a row whose key has moved to where nobody asks is missed") {
    relay_fixture f;
    fill(f);
    f.store.reset();
    // Item 7 of slot 6 becomes item 9: the pages are sound, the keys in order.
    auto all = durable::read_file(f.folder / "index", 1 << 30).value();
    const auto key = to_bytes(key_of(slots_made, items_each));
    std::size_t moved = 0;
    for (auto at = all.begin(); (at = std::search(at, all.end(), key.begin(), key.end())) != all.end(); ++moved)
        at[static_cast<std::ptrdiff_t>(key.size() - 1)] = std::byte{9};
    REQUIRE(moved > 0);
    REQUIRE(durable::open_file(f.folder / "index", durable::mode::read_write).value().write_at(0, all));
    f.reopen();
    CHECK(f.store->recovered().kept_as == "index.damaged-1");
    CHECK(f.numbers(slots_made).size() == items_each - 1);
    CHECK(f.store->recovered().notes().size() == 3);
}

TEST_CASE("a crash while a damaged index is made anew begins anew from what was put aside") {
    relay_fixture f;
    fill(f);
    f.store.reset();
    fs::rename(f.folder / "index", f.folder / "index.damaged-3");
    { std::ofstream(f.folder / "index.rebuild", std::ios::binary) << "half"; }
    f.reopen();
    CHECK(f.store->recovered().kept_as == "index.damaged-3");
    bool wrong = false;
    CHECK(look(f, wrong).whole());
    CHECK_FALSE(wrong);
    CHECK_FALSE(fs::exists(f.folder / "index.rebuild"));
    // An invite is good for what it was good for.
    CHECK(f.open_slot(60, 0, named(77)));
    CHECK(f.open_slot(61, 0, named(77)));
    CHECK(f.open_slot(62, 0, named(77)) == result<void>(errc::no_invite));
}

TEST_CASE("what was erased or deleted does not come back with a salvaged index") {
    relay_fixture f;
    fill(f);
    REQUIRE(f.remove(1000, 1007));
    for (std::uint64_t n = 1; n <= items_each; ++n) REQUIRE(f.erase(2, {n}));
    f.store.reset();
    fs::rename(f.folder / "index", f.folder / "index.damaged-1");
    f.reopen();
    CHECK(f.store->recovered().slots == slots_made);
    CHECK(f.state(1000)->phase == seed_phase::deleted);
    CHECK(f.numbers(2).empty());
    CHECK(f.numbers(3).size() == items_each);
    CHECK(f.store->recovered().notes().size() == 2);          // nothing is lost, and nothing says so
}

TEST_CASE("a relay's index of version 1 is taken over") {
    relay_fixture f;
    fill(f);
    f.store.reset();
    // As an older peerpost left it: a short identity, no sum of the keys.
    MDB_env* env = nullptr;
    REQUIRE(mdb_env_create(&env) == 0);
    mdb_env_set_maxdbs(env, table_count);
    REQUIRE(mdb_env_open(env, (f.folder / "index").c_str(), MDB_NOSUBDIR, 0600) == 0);
    MDB_txn* txn = nullptr;
    MDB_dbi meta = 0;
    REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
    REQUIRE(mdb_dbi_open(txn, "meta", 0, &meta) == 0);
    std::string identity = "identity", sum = "keys";
    MDB_val key{identity.size(), identity.data()}, value;
    REQUIRE(mdb_get(txn, meta, &key, &value) == 0);
    std::string old(static_cast<const char*>(value.mv_data), 33);
    old[0] = 1;
    value = {old.size(), old.data()};
    REQUIRE(mdb_put(txn, meta, &key, &value, 0) == 0);
    MDB_val of_sum{sum.size(), sum.data()};
    REQUIRE(mdb_del(txn, meta, &of_sum, nullptr) == 0);
    REQUIRE(mdb_txn_commit(txn) == 0);
    mdb_env_close(env);
    for (int i = 0; i < 2; ++i) {
        f.reopen();
        CHECK(f.store->recovered().kept_as.empty());
        bool wrong = false;
        CHECK(look(f, wrong).whole());
        CHECK_FALSE(wrong);
    }
    f.store.reset();
    relay_fixture other;
    other.store.reset();
    other.key = crypto::random<crypto::row_key>();
    CHECK(other.try_open() == result<void>(pp::storage::errc::wrong_secret));
}

TEST_CASE("a relay that is refused a file at its start loses nothing") {
    static int left;
    static bool on;
    for (const bool from_there_on : {false, true})
        for (int n = 1;; ++n) {
            on = from_there_on;
            INFO("open " << n << (on ? " and on" : ""));
            relay_fixture f;
            fill(f);
            f.store.reset();
            left = n;
            durable::set_fault_hook([](durable::call kind) {
                if (kind != durable::call::open) return 0;
                --left;
                return left == 0 || (on && left < 0) ? EMFILE : 0;
            });
            (void)f.try_open();
            durable::set_fault_hook(nullptr);
            const bool reached = left <= 0;
            f.reopen();
            bool wrong = false;
            CHECK(look(f, wrong).whole());
            CHECK_FALSE(wrong);
            CHECK(f.store->recovered().kept_as.empty());
            CHECK_FALSE(fs::exists(f.folder / "index.damaged-1"));
            if (!reached) break;
        }
}

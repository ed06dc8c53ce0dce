// Rows that wait in memory for the view's file: versions, undoing, and a store whose readers see one state whether its
// rows are above the file or in it.
#include "storage/fresh_rows.hpp"

#include "storage/durable.hpp"
#include "tests/storage/store_fixture.hpp"

#include <map>
#include <random>
#include <thread>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {
using kind = fresh_rows::kind;
row_name key_of(int n) { return row_name().u32(static_cast<std::uint32_t>(n)); }

std::map<int, int> listed(const fresh_rows& f, fresh_rows::version seen) {   // key -> first byte; erased ones as -1
    std::map<int, int> out;
    for (auto one = f.next(seen, table::msg, {}, false, true); one;
         one = f.next(seen, table::msg, one->key.view(), true, true)) {
        const bool erased = one->is.what == kind::erased;
        out[static_cast<int>(key_u32(one->key.view(), 0))] = erased ? -1 : std::to_integer<int>(one->is.plain.at(0));
    }
    return out;
}
}  // namespace

TEST_CASE("each version of the fresh rows stays what it was when it was published") {
    std::mt19937 dice(7);
    fresh_rows f;
    std::map<int, int> now;
    std::vector<std::pair<fresh_rows::version, std::map<int, int>>> history;
    for (int group = 0; group < 60; ++group) {
        auto after = now;
        for (unsigned job = 0; job < 1 + dice() % 3; ++job) {
            const auto v = f.begin();
            const auto before = after;
            for (unsigned i = 0; i < dice() % 6; ++i) {
                const int k = static_cast<int>(dice() % 20);
                const auto what = dice() % 4 == 0 ? kind::erased : kind::row;
                const std::array<std::byte, 1> plain{static_cast<std::byte>(dice() % 200)};
                f.put(v, table::msg, key_of(k).view(), what, what == kind::row ? bytes_view(plain) : bytes_view());
                after[k] = what == kind::row ? std::to_integer<int>(plain[0]) : -1;
            }
            CHECK(listed(f, v) == after);
            if (dice() % 4 == 0) {   // the job failed
                f.undo(v);
                after = before;
            }
        }
        if (dice() % 5 == 0) {       // the log could not be written
            f.undo(f.published() + 1);
            CHECK(listed(f, ~0ull) == now);
            continue;
        }
        f.publish();
        now = after;
        history.emplace_back(f.published(), now);
    }
    for (const auto& [version, then] : history) CHECK(listed(f, version) == then);
    for (const auto& [k, v] : now) {
        const auto found = f.find(f.published(), table::msg, key_of(k).view());
        REQUIRE(found);
        CHECK((found->what == kind::erased) == (v == -1));
    }
    CHECK_FALSE(f.find(~0ull, table::env, key_of(1).view()));
    std::map<int, int> newest;
    REQUIRE(f.each_newest([&](table t, bytes_view key, const fresh_rows::value& is) -> result<void> {
        CHECK(t == table::msg);
        newest[static_cast<int>(key_u32(key, 0))] = is.what == kind::erased ? -1 : std::to_integer<int>(is.plain.at(0));
        return {};
    }));
    CHECK(newest == now);
}

TEST_CASE("fresh rows that are undone leave no memory behind") {
    fresh_rows f;
    const bytes plain(1000, std::byte{1});
    f.put(f.begin(), table::env, key_of(1).view(), kind::row, plain);
    f.publish();
    const auto one = f.memory_bytes();
    CHECK(one > 1000);
    for (int i = 0; i < 100; ++i) f.put(f.begin(), table::env, key_of(i).view(), kind::row, plain);
    CHECK(f.memory_bytes() > 100'000);
    f.undo(f.published() + 1);
    CHECK(f.memory_bytes() == one);
    CHECK_FALSE(f.has_any(table::msg));
    CHECK(f.has_any(table::env));
}

TEST_CASE("a group waits in memory, is seen at once, and is in the file after settle()") {
    store_fixture f;
    REQUIRE(f.store->settle());
    CHECK(f.store->unsettled_bytes() == 0);
    const auto file = [&] { return durable::read_file(f.folder / "view", 1ull << 30).value(); };
    const auto before = file();
    const auto box = f.box("INBOX").id;
    const auto added = f.add("INBOX", mail_text("one"));
    f.must([&](write_txn& t) -> result<void> {
        mail::flags seen;
        seen.system = mail::seen;
        mail::uid_set none;
        const auto r =
            t.change_flags(box, mail::uid_set::of(added.uid, added.uid), write_txn::flag_change::add, seen, {}, none);
        return r ? result<void>() : result<void>(r.error());
    });
    CHECK(f.store->unsettled_bytes() > 0);
    CHECK(file() == before);
    CHECK(f.all("INBOX").size() == 1);
    CHECK(f.store->check({})->sound());
    REQUIRE(f.store->settle());
    CHECK(f.store->unsettled_bytes() == 0);
    CHECK(file() != before);
    REQUIRE(f.all("INBOX").size() == 1);
    CHECK(f.all("INBOX").front().flags.system == mail::seen);
    CHECK(f.store->check({})->sound());
}

TEST_CASE("a reader keeps its snapshot over changes and commits of the view") {
    store_fixture f;
    f.store.reset();
    f.options.view_map_bytes = 64 << 20;   // a map that grows waits for readers
    f.reopen();
    for (int i = 0; i < 3; ++i) f.add("INBOX", mail_text(std::to_string(i)));
    const auto box = f.box("INBOX").id;
    const auto uids = f.store->read([&](const read_txn& t) {
        const auto first = t.uids(box).value();
        std::thread writer([&] {
            f.add("INBOX", mail_text("later"));
            REQUIRE(f.store->settle());
            f.add("INBOX", mail_text("later still"));
        });
        writer.join();
        CHECK(t.uids(box).value() == first);
        CHECK(t.get_mailbox(box).value()->messages == first.size());
        CHECK(t.messages(box, 1, 100)->size() == first.size());
        return first;
    });
    CHECK(uids.size() == 3);
    CHECK(f.all("INBOX").size() == 5);
}

TEST_CASE("readers beside a writer that settles always see a mailbox that fits its count") {
    store_fixture f;
    const auto box = f.box("INBOX").id;
    std::atomic<bool> done = false;
    std::atomic<int> wrong = 0, looks = 0;
    std::thread reader([&] {
        while (!done) {
            f.store->read([&](const read_txn& t) {
                const auto row = t.get_mailbox(box);
                const auto uids = t.uids(box);
                const auto all = t.messages(box, 1, 1000);
                if (!row || !*row || !uids || !all || (*row)->messages != uids->size() || all->size() != uids->size())
                    ++wrong;
                else if (!all->empty() && (*row)->uid_next != uids->back() + 1) ++wrong;
                return 0;
            });
            ++looks;
        }
    });
    for (int i = 0; i < 150; ++i) {
        f.add("INBOX", mail_text(std::to_string(i)));
        if (i % 7 == 0) REQUIRE(f.store->settle());
    }
    done = true;
    reader.join();
    CHECK(looks > 0);
    CHECK(wrong == 0);
}

TEST_CASE("a group that is too large for memory goes to the view's file itself") {
    store_fixture f;
    std::vector<account_store::job> jobs;
    constexpr std::size_t boxes = 64;
    const bytes large(900'000, std::byte{3});
    for (std::size_t i = 0; i < boxes; ++i)
        jobs.push_back([&, i](write_txn& t) { return t.put_setting("s" + std::to_string(i), large); });
    for (const auto& r : f.store->write(jobs)) CHECK(r);
    CHECK(f.store->unsettled_bytes() == 0);
    for (std::size_t i = 0; i < boxes; ++i)
        CHECK(f.store->read([&](const read_txn& t) { return t.setting("s" + std::to_string(i)); }).value() == large);
    f.reopen();
    CHECK(f.store->read([&](const read_txn& t) { return t.setting("s63"); }).value() == large);
}

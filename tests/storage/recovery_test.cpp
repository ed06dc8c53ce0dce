#include "storage/durable.hpp"
#include "storage/log_file.hpp"
#include "storage/log_walker.hpp"
#include "storage/table.hpp"
#include "tests/storage/store_fixture.hpp"

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;
namespace fs = std::filesystem;

namespace {
bytes slurp(const fs::path& p) { return durable::read_file(p, 1ull << 30).value(); }
void spit(const fs::path& p, bytes_view content) {
    std::ofstream out(p, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
}
fs::path segment(const store_fixture& f, int n = 1) {
    return segment_path(f.folder / "log", 1, static_cast<std::uint64_t>(n));
}

std::vector<std::string> inbox_texts(store_fixture& f) {
    std::vector<std::string> out;
    for (const auto& m : f.all("INBOX")) out.push_back(f.text_of(m.mail_serial));
    return out;
}
}  // namespace

TEST_CASE("a torn last group is cut and what was before is whole") {
    store_fixture f;
    f.add("INBOX", mail_text("first"));
    f.store.reset();
    const auto view_before = slurp(f.folder / "view");
    const auto log_before = slurp(segment(f));
    f.reopen();
    f.add("INBOX", mail_text("second"));
    f.store.reset();
    const auto log_after = slurp(segment(f));
    REQUIRE(log_after.size() > log_before.size());

    // Cut at every byte, as the reader of the log sees it.
    const log_keys keys(f.keys);
    const auto header = read_segment_header(segment(f)).value();
    for (std::size_t cut = log_before.size(); cut <= log_after.size(); ++cut) {
        INFO(cut);
        spit(segment(f), bytes_view(log_after).first(cut));
        log_walker walker(f.folder / "log", keys, header.at);
        std::size_t groups = 0;
        while (walker.next().value()) ++groups;
        REQUIRE(groups == (cut == log_after.size() ? 3u : 2u));
        REQUIRE(
            walker.classify().value() ==
            (cut == log_before.size() || cut == log_after.size() ? log_walker::tail::clean : log_walker::tail::torn));
    }
    // And as a whole store, with the view as it was and without one; zeros instead of an end as well.
    const auto step = std::max<std::size_t>(1, (log_after.size() - log_before.size()) / 40);
    for (std::size_t cut = log_before.size(); cut < log_after.size(); cut += step)
        for (const bool with_view : {true, false}) {
            INFO(cut << (with_view ? " with view" : " without view"));
            bytes torn(log_after.begin(), log_after.begin() + static_cast<std::ptrdiff_t>(cut));
            if (cut % 2) torn.resize(log_after.size() + 5000);
            spit(segment(f), torn);
            fs::remove(f.folder / "view");
            if (with_view) spit(f.folder / "view", view_before);
            f.reopen();
            CHECK(inbox_texts(f) == std::vector<std::string>{mail_text("first")});
            CHECK((f.report.bytes_cut > 0) == (cut > log_before.size()));
            const auto next = f.add("INBOX", mail_text("third"));
            CHECK(next.uid == 2);
            f.reopen();
            CHECK(inbox_texts(f).size() == 2);
            f.store.reset();
        }
    // A group that reached the disk whole is there although the view never saw it.
    spit(segment(f), log_after);
    spit(f.folder / "view", view_before);
    f.reopen();
    CHECK(f.report.entries_replayed == 1);
    CHECK(inbox_texts(f) == std::vector<std::string>{mail_text("first"), mail_text("second")});
}

TEST_CASE("a flipped byte of the log is never wrong data") {
    store_fixture f;
    for (const auto* s : {"one", "two", "three"}) f.add("INBOX", mail_text(s));
    f.store.reset();
    const auto log = slurp(segment(f));
    const log_keys keys(f.keys);
    const auto start = read_segment_header(segment(f)).value().at;
    std::vector<std::vector<bytes>> good;
    {
        log_walker walker(f.folder / "log", keys, start);
        for (;;) {
            auto g = walker.next().value();
            if (!g) break;
            good.push_back(g->entries);
        }
    }
    REQUIRE(good.size() == 4);
    for (std::size_t at = segment_header_bytes; at < log.size(); ++at) {
        INFO(at);
        auto bad = log;
        bad[at] ^= static_cast<std::byte>(1 << (at % 8));
        spit(segment(f), bad);
        log_walker walker(f.folder / "log", keys, start);
        std::size_t groups = 0, damaged = 0;
        for (;;) {
            auto g = walker.next();
            REQUIRE(g.has_value());
            if (!*g) break;
            REQUIRE(groups < good.size());
            REQUIRE((*g)->entries == good[groups++]);
            damaged += (*g)->damaged_blobs;
        }
        REQUIRE((groups < good.size() || damaged > 0));
        if (groups < good.size() - 1) REQUIRE(walker.classify().value() == log_walker::tail::damaged);
    }
    // With the view: it goes on, the damage is found by the check, and nothing was cut.
    const auto last = log.size() - 10;
    for (const std::size_t at : {std::size_t{segment_header_bytes + 100}, log.size() / 2, log.size() - 400, last}) {
        INFO(at);
        auto bad = log;
        bad[at] ^= std::byte{1};
        spit(segment(f), bad);
        f.reopen();
        CHECK(f.all("INBOX").size() == 3);
        CHECK_FALSE(f.store->check({})->sound());
        f.store.reset();
        CHECK(slurp(segment(f)) == bad);
    }
    // Without the view: damage before a signed head is refused, and nothing is touched.
    auto bad = log;
    bad[segment_header_bytes + 100] ^= std::byte{1};
    spit(segment(f), bad);
    fs::rename(f.folder / "view", f.folder / "kept");
    CHECK(f.try_open().error() == errc::damaged);
    CHECK(slurp(segment(f)) == bad);
    fs::rename(f.folder / "kept", f.folder / "view");
    spit(segment(f), log);
    f.reopen();
    CHECK(f.store->check({})->sound());
}

TEST_CASE("a log that ends before what was in use is lost, and nothing is repaired") {
    store_fixture f;
    f.add("INBOX", mail_text("one"));
    f.store.reset();
    const auto log = slurp(segment(f));
    for (const bool zeros : {true, false}) {
        auto shorter = log;
        shorter.resize(log.size() - 300);
        if (zeros) shorter.resize(log.size());
        if (zeros) std::fill(shorter.end() - 600, shorter.end(), std::byte{0});
        spit(segment(f), shorter);
        CHECK(f.try_open().error() == errc::log_lost);
        CHECK(slurp(segment(f)) == shorter);
    }
    fs::remove(segment(f));
    CHECK(f.try_open().error() == errc::not_found);
}

TEST_CASE("a view that cannot be read is put aside and made again") {
    store_fixture f;
    f.add("INBOX", mail_text("one"));
    const auto validity = f.box("INBOX").uid_validity;
    f.store.reset();
    const auto view = slurp(f.folder / "view");
    bytes garbage(view.size(), std::byte{0x5a});
    bytes cut(view.begin(), view.begin() + static_cast<std::ptrdiff_t>(view.size() / 2));
    int n = 0;
    for (const auto& bad : {garbage, cut, bytes{}}) {
        spit(f.folder / "view", bad);
        f.reopen();
        CHECK(f.report.view_rebuilt);
        CHECK(fs::exists(f.folder / ("view.damaged-" + std::to_string(++n))));
        CHECK(f.box("INBOX").uid_validity == validity);
        CHECK(inbox_texts(f) == std::vector<std::string>{mail_text("one")});
        f.store.reset();
    }
    // A row found damaged while running asks for it at the next start.
    spit(f.folder / "view.suspect", {});
    f.reopen();
    CHECK(f.report.view_rebuilt);
    CHECK_FALSE(fs::exists(f.folder / "view.suspect"));
}

TEST_CASE("keys of another store change nothing") {
    store_fixture f;
    f.add("INBOX", mail_text("one"));
    f.store.reset();
    const auto log = slurp(segment(f)), view = slurp(f.folder / "view");
    for (int which = 0; which < 4; ++which) {
        auto wrong = f.keys.clone();
        if (which == 0) wrong.drive_seed = account_keys::generate().drive_seed;
        if (which == 1) wrong.log_key = account_keys::generate().log_key;
        if (which == 2) wrong.store_key = account_keys::generate().store_key;
        if (which == 3) wrong.shred_key = account_keys::generate().shred_key;
        recovery_report report;
        INFO(which);
        CHECK(account_store::open(f.folder, std::move(wrong), report, f.options).error() == errc::wrong_secret);
    }
    CHECK(slurp(segment(f)) == log);
    CHECK(slurp(f.folder / "view") == view);
    f.reopen();
    CHECK_FALSE(f.report.view_rebuilt);
}

TEST_CASE("the log goes on in the next segment") {
    store_fixture f;
    f.store.reset();
    f.options.segment_bytes = 16 * 1024;
    f.options.zero_ahead_bytes = 8 * 1024;
    f.reopen();
    for (int i = 0; i < 30; ++i) {
        f.add("INBOX", mail_text(std::to_string(i), 1500));
        if (i % 3 == 0) while (f.store->housekeeping()) {}
    }
    const auto there = segments_in(f.folder / "log", 1).value();
    CHECK(there.size() >= 3);
    CHECK(f.store->check({})->sound());
    f.reopen();
    CHECK(f.report.bytes_cut == 0);
    CHECK(inbox_texts(f).size() == 30);
    f.rebuild();
    CHECK(inbox_texts(f).size() == 30);
    f.store.reset();
    // The newest segment began and never got its first group: it goes, and the one before goes on.
    const auto newest = static_cast<int>(there.back());
    const auto raw = slurp(segment(f, newest));
    fs::remove(f.folder / "view");
    for (const std::size_t kept : {std::size_t{0}, std::size_t{100}, std::size_t{segment_header_bytes},
                                   std::size_t{segment_header_bytes + 500}}) {
        INFO(kept);
        spit(segment(f, newest), bytes_view(raw).first(kept));
        f.reopen();
        const auto n = inbox_texts(f).size();
        CHECK(n < 30);
        CHECK(segments_in(f.folder / "log", 1).value().size() == there.size() - 1);
        f.add("INBOX", mail_text("more"));
        f.rebuild();
        CHECK(inbox_texts(f).size() == n + 1);
        f.store.reset();
        fs::remove(f.folder / "view");
        // back to the state in which the newest one did not exist
        const auto last = segments_in(f.folder / "log", 1).value();
        if (static_cast<int>(last.back()) == newest) fs::remove(segment(f, newest));
    }
}

TEST_CASE("housekeeping writes zeros ahead and the log lives with and without them") {
    store_fixture f;
    while (f.store->housekeeping()) {}
    CHECK(fs::file_size(segment(f)) >= 64 * 1024);
    f.add("INBOX", mail_text("one"));
    f.reopen();
    CHECK(f.report.bytes_cut == 0);
    CHECK(fs::file_size(segment(f)) >= 64 * 1024);
    CHECK(f.report.notes.empty());
    CHECK(inbox_texts(f).size() == 1);
}

TEST_CASE("a segment of a newer version is refused") {
    store_fixture f;
    f.store.reset();
    auto raw = slurp(segment(f));
    raw[8] = std::byte{2};
    const auto sum = crypto::sha256(bytes_view(raw).first(segment_header_bytes - 32));
    std::copy(sum.data.begin(), sum.data.end(), raw.begin() + segment_header_bytes - 32);
    spit(segment(f), raw);
    CHECK(f.try_open().error() == errc::newer_format);
}

TEST_CASE("a large mail whose name row is lost in the view keeps its file; the view is made again") {
    store_fixture f;
    const auto mail = f.add("INBOX", mail_text("large", 150000));
    f.store.reset();
    const auto blobs = [&] {
        std::size_t n = 0;
        for (const auto& entry : fs::recursive_directory_iterator(f.folder / "blobs")) n += entry.is_regular_file();
        return n;
    };
    REQUIRE(blobs() == 1);
    // One bit of a key: nothing authenticates a row that nobody finds.
    auto raw = slurp(f.folder / "view");
    const view_keys names(f.keys);
    crypto::blob_id id;
    for (const auto& entry : fs::recursive_directory_iterator(f.folder / "blobs"))
        if (entry.is_regular_file()) id = *crypto::blob_id::from(*crypto::from_hex(entry.path().filename().string()));
    const auto key = names.prf(table::blob_name, id.view());
    int flipped = 0;
    for (auto at = std::search(raw.begin(), raw.end(), key.begin(), key.end()); at != raw.end();
         at = std::search(at, raw.end(), key.begin(), key.end()), ++flipped)
        at[15] ^= std::byte{1};
    REQUIRE(flipped > 0);
    spit(f.folder / "view", raw);

    f.reopen();
    CHECK(f.report.view_rebuilt);
    CHECK(blobs() == 1);
    CHECK(f.text_of(mail.mail_serial) == mail_text("large", 150000));
    CHECK(f.store->check({})->sound());
    // A file that no mail has goes, all the same.
    const auto orphan = f.folder / "blobs" / "00" / std::string(64, '0');
    fs::create_directories(orphan.parent_path());
    std::ofstream(orphan) << "rest of an unfinished mail";
    f.reopen();
    CHECK_FALSE(f.report.view_rebuilt);
    CHECK_FALSE(fs::exists(orphan));
    CHECK(blobs() == 1);
}

TEST_CASE("a mail that waits for its commit while a full store heals keeps its file") {
    store_fixture f;
    f.add("INBOX", mail_text("first"));
    REQUIRE(f.store->settle());
    durable::set_fault_hook([](durable::call c) { return c == durable::call::view_commit ? ENOSPC : 0; });
    f.add("INBOX", mail_text("second"));   // in the log; the view does not get it when the store closes
    f.store.reset();
    f.reopen();                            // nor now
    CHECK_FALSE(f.store->writable());
    CHECK(f.all("INBOX").size() == 1);
    auto waiting = f.blob(mail_text("large", 150000));
    const auto unfinished = [&] {
        auto b = f.store->new_blob();
        REQUIRE(b.write(as_bytes(mail_text("larger", 1500000))));
        return b;
    };
    auto coming = unfinished();
    durable::set_fault_hook(nullptr);

    REQUIRE(f.store->try_heal());
    CHECK(f.all("INBOX").size() == 2);
    REQUIRE(coming.finish());
    for (auto* blob : {&waiting, &coming})
        f.must([&](write_txn& t) -> result<void> {
            auto placed = t.add_mail({f.box("INBOX").id, {}, {1700000000, 0}, ""}, *blob);
            if (!placed) return placed.error();
            return {};
        });
    const auto all = f.all("INBOX");
    REQUIRE(all.size() == 4);
    CHECK(f.text_of(all[2].mail_serial) == mail_text("large", 150000));
    CHECK(f.text_of(all[3].mail_serial) == mail_text("larger", 1500000));
    CHECK(f.store->check({})->sound());
}

TEST_CASE("a segment that does not begin is kept when the view is lost, too") {
    store_fixture f;
    f.store.reset();
    f.options.segment_bytes = 12 * 1024;
    f.reopen();
    while (segments_in(f.folder / "log", 1).value().size() < 3) f.add("INBOX", mail_text("m", 5000));
    const auto there = f.all("INBOX").size();
    f.store.reset();
    fs::remove(f.folder / "view");
    auto last = slurp(segment(f, 3));
    last[100] ^= std::byte{1};   // its header; one group stands behind it
    spit(segment(f, 3), last);
    f.reopen();
    CHECK(f.all("INBOX").size() == there - 1);
    CHECK(f.store->writable());
    CHECK(slurp(f.folder / "log" / "cut-3-0") == last);
}

// check() finds planted damage of each kind and repair() saves what can be saved: UIDs and UIDVALIDITY stay, nothing is
// deleted, what is lost is said.
#include "storage/durable.hpp"
#include "storage/log_file.hpp"
#include "storage/operation.hpp"
#include "tests/storage/store_fixture.hpp"

#include <map>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;
namespace fs = std::filesystem;

namespace {
using picture = std::map<std::string, std::tuple<std::uint32_t, std::uint32_t, std::map<std::uint32_t, std::string>>>;

// Mailbox -> UIDVALIDITY, UIDNEXT, UID -> text ("" when it cannot be read).
picture look(store_fixture& f) {
    picture out;
    for (const auto& b : f.store->read([](const read_txn& t) { return t.mailboxes().value(); })) {
        std::map<std::uint32_t, std::string> mails;
        for (const auto& m : f.all(b.name)) {
            auto reader = f.store->open_blob(m.mail_serial);
            bytes text(reader ? static_cast<std::size_t>((*reader)->size_bytes()) : 0);
            const auto n = reader ? (*reader)->read(0, text) : result<std::size_t>(reader.error());
            mails[m.uid] = n ? std::string(as_text(text)) : "";
        }
        out[b.name] = {b.uid_validity, b.uid_next, mails};
    }
    return out;
}

void fill(store_fixture& f) {
    f.store.reset();
    f.options.segment_bytes = 24 * 1024;
    f.options.zero_ahead_bytes = 8 * 1024;
    f.reopen();
    f.must([](write_txn& t) -> result<void> {
        const auto r = t.create_mailbox("Work", special_use::none);
        return r ? result<void>() : result<void>(r.error());
    });
    for (int i = 0; i < 40; ++i)
        f.add(i % 3 ? "INBOX" : "Work", mail_text("m" + std::to_string(i), i % 10 == 7 ? 80000 : 1200), {}, "<m@x>");
    f.must([](write_txn& t) -> result<void> {
        const auto inbox = t.find_mailbox("INBOX").value()->id;
        mail::flags flags;
        flags.system = mail::seen | mail::deleted;
        mail::uid_set none;
        if (const auto r = t.change_flags(inbox, mail::uid_set::of(3, 5), write_txn::flag_change::add, flags, {}, none);
            !r)
            return r.error();
        if (const auto r = t.expunge(inbox, mail::uid_set::of(3, 5)); !r) return r.error();
        const auto r = t.copy(inbox, mail::uid_set::of(6, 8), t.find_mailbox("Archive").value()->id, true);
        return r ? result<void>() : result<void>(r.error());
    });
}

void flip(const fs::path& path, std::uint64_t at) {
    auto f = durable::open_file(path, durable::mode::read_write).value();
    bytes b(1);
    REQUIRE(f.read_at(at, b).value() == 1);
    b[0] ^= std::byte{0x10};
    REQUIRE(f.write_at(at, b));
}
fs::path segment(const store_fixture& f, std::uint64_t n, std::uint64_t generation = 1) {
    return segment_path(f.folder / "log", generation, n);
}

fs::path some_blob(const store_fixture& f) {
    for (const auto& entry : fs::recursive_directory_iterator(f.folder / "blobs"))
        if (entry.is_regular_file()) return entry.path();
    return {};
}

// The place of the n-th entry frame in a segment.
std::uint64_t entry_at(const fs::path& path, int n) {
    const auto raw = durable::read_file(path, 1ull << 30).value();
    for (std::uint64_t at = segment_header_bytes; at + frame_header_bytes < raw.size(); at += 8) {
        const auto h = parse_frame_header(bytes_view(raw).subspan(at, frame_header_bytes));
        if (h && h->type == frame_type::entry && n-- == 0) return at;
    }
    FAIL("no such entry");
    return 0;
}

bool makes_a_mailbox(const fs::path& path, std::uint64_t at, const account_keys& keys) {
    const auto raw = durable::read_file(path, 1ull << 30).value();
    const auto header = bytes_view(raw).subspan(at, frame_header_bytes);
    const auto body = bytes_view(raw).subspan(at + frame_header_bytes, parse_frame_header(header)->body_bytes);
    const auto operations = decode_operations(open_entry(header, body, 1, log_keys(keys)).value()).value();
    return std::any_of(operations.begin(), operations.end(),
                       [](const storage::operation& o) { return std::holds_alternative<op::make_mailbox>(o); });
}

repair_report mend(store_fixture& f) {
    f.store.reset();
    auto r = account_store::repair(f.folder, f.keys.clone(), f.options);
    INFO((r ? std::string() : r.error().message()));
    REQUIRE(r.has_value());
    return *r;
}
bool mentions(const std::vector<std::string>& lines, std::string_view what) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& l) { return l.find(what) != l.npos; });
}
}  // namespace

TEST_CASE("check names planted damage of each kind") {
    store_fixture f;
    fill(f);
    REQUIRE(f.store->settle());   // the file of the mail that is gone is gone too
    CHECK(f.store->check({})->sound());

    SECTION("a frame of the log") {
        flip(segment(f, 1), entry_at(segment(f, 1), 3) + 60);
        CHECK(mentions(f.store->check({})->warnings, "the log is damaged in segment 1"));
    }
    SECTION("a mail in the log") {
        flip(segment(f, 1), entry_at(segment(f, 1), 3) - 200);
        const auto report = f.store->check({});
        CHECK(report->lost.size() == 1);
        CHECK(mentions(report->lost, " UID "));
    }
    SECTION("a chunk of a blob file") {
        flip(some_blob(f), 30000);
        const auto report = f.store->check({});
        CHECK(report->lost.size() == 1);
        CHECK(mentions(report->lost, "cannot be read"));
    }
    SECTION("a blob file that is missing") {
        fs::remove(some_blob(f));
        CHECK(f.store->check({})->lost.size() == 1);
    }
    SECTION("the hashes behind a blob") {
        flip(some_blob(f), fs::file_size(some_blob(f)) - 5);
        CHECK(mentions(f.store->check({})->warnings, "hashes behind mail"));
    }
    SECTION("files that do not belong") {
        std::ofstream(f.folder / "notes.txt") << "x";
        std::ofstream(f.folder / "log" / "1" / "copy.of.seg") << "x";
        std::ofstream(f.folder / "blobs" / "strange") << "x";
        const auto report = f.store->check({});
        CHECK(report->lost.empty());
        for (const auto* name : {"notes.txt", "log/1/copy.of.seg", "blobs/strange"})
            CHECK(mentions(report->warnings, name));
        const auto before = look(f);
        const auto repaired = mend(f);
        CHECK(mentions(repaired.done, "3 files"));
        CHECK(durable::names_in(f.folder / repaired.kept_in).size() == 3);
        f.reopen();
        CHECK(f.store->check({})->sound());
        CHECK(look(f) == before);
    }
}

TEST_CASE("repair leaves a sound store alone") {
    store_fixture f;
    fill(f);
    const auto before = look(f);
    const auto r = mend(f);
    CHECK_FALSE(r.needed());
    CHECK(r.kept_in.empty());
    CHECK(fs::exists(segment(f, 1)));
    f.reopen();
    CHECK_FALSE(f.report.view_rebuilt);
    CHECK(look(f) == before);
}

TEST_CASE("a view with a bad row is made again; a log with a hole is written anew from the view") {
    store_fixture f;
    fill(f);
    const auto before = look(f);
    f.store.reset();
    SECTION("the view") {
        const auto size = fs::file_size(f.folder / "view");
        for (std::uint64_t page = 4; page < size / 4096; page += 3) flip(f.folder / "view", page * 4096 + 3000);
        const auto r = mend(f);
        CHECK(mentions(r.done, "view"));
        CHECK(r.lost.empty());
        CHECK(fs::exists(f.folder / r.kept_in / "view"));
    }
    SECTION("a hole in the middle of the log") {
        flip(segment(f, 2), entry_at(segment(f, 2), 1) + 40);
        const auto r = mend(f);
        CHECK(mentions(r.done, "the log was damaged"));
        CHECK(r.lost.empty());
        CHECK(fs::exists(f.folder / r.kept_in / "log-1" / "1.seg"));
    }
    SECTION("the header of the first segment") {
        flip(segment(f, 1), 100);
        CHECK(mend(f).lost.empty());
    }
    SECTION("the end of the log is lost") {
        const auto last = segments_in(f.folder / "log", 1).value().back();
        fs::resize_file(segment(f, last), segment_header_bytes + 100);
        CHECK(f.try_open().error() == errc::log_lost);
        mend(f);
        f.reopen();
        auto after = look(f);
        for (auto& [name, box] : after) {   // inline mails in the lost part are lost; all else stands where it stood
            CHECK(std::get<0>(box) == std::get<0>(before.at(name)));
            CHECK(std::get<1>(box) == std::get<1>(before.at(name)));
            for (const auto& [uid, text] : std::get<2>(box))
                CHECK((text.empty() || text == std::get<2>(before.at(name)).at(uid)));
            CHECK(std::get<2>(box).size() == std::get<2>(before.at(name)).size());
        }
        return;
    }
    SECTION("no log at all") {
        fs::remove_all(f.folder / "log");
        mend(f);
        f.reopen();
        CHECK(std::get<0>(look(f).at("INBOX")) == std::get<0>(before.at("INBOX")));
        return;
    }
    f.reopen();
    CHECK(look(f) == before);
    CHECK(f.store->check({})->sound());
    f.rebuild();
    CHECK(look(f) == before);
    CHECK(f.store->check({})->sound());
    f.add("INBOX", mail_text("later"));
    f.reopen();
    CHECK(f.store->check({})->sound());
}

TEST_CASE("log and view damaged: every entry that opens is kept under its UID") {
    for (const bool view_gone : {false, true})
        for (int hole = 0; hole < 12; ++hole) {
            INFO("hole " << hole << (view_gone ? ", no view" : ", view damaged"));
            store_fixture f;
            fill(f);
            const auto before = look(f);
            f.store.reset();
            const auto there = segments_in(f.folder / "log", 1).value();
            const auto path = segment(f, there[static_cast<std::size_t>(hole) % (there.size() - 1)]);
            const bool makes = makes_a_mailbox(path, entry_at(path, hole / 4), f.keys);
            flip(path, entry_at(path, hole / 4) + 40);
            if (view_gone) {
                fs::remove(f.folder / "view");
            } else {
                flip(f.folder / "view", 2 * 4096 + 10);
                flip(f.folder / "view", 3 * 4096 + 10);
                for (std::uint64_t page = 4; page < fs::file_size(f.folder / "view") / 4096; ++page)
                    flip(f.folder / "view", page * 4096 + 10);
            }
            CHECK_FALSE(f.try_open());
            const auto r = mend(f);
            CHECK(mentions(r.done, "could be opened"));
            CHECK_FALSE(r.lost.empty());
            f.reopen();
            const auto after = look(f);
            std::size_t mails = 0, kept = 0;
            const bool renamed = after.contains("Recovered-1");   // only when no row of the view could tell the name
            CHECK((!renamed || (view_gone && makes)));
            for (const auto& [name, box] : before) {
                const auto found = after.find(name);
                mails += std::get<2>(box).size();
                if (found == after.end() || renamed) continue;
                CHECK(std::get<0>(found->second) == std::get<0>(box));
                CHECK(std::get<1>(found->second) >= std::get<1>(box));   // no UID is given twice
                for (const auto& [uid, text] : std::get<2>(found->second)) {
                    const auto was = std::get<2>(box).find(uid);
                    if (was == std::get<2>(box).end()) continue;   // its expunge is lost: it is back, as it was
                    CHECK((text == was->second || text.empty()));
                    kept += text == was->second;
                }
            }
            if (!renamed) CHECK(kept + 12 >= mails);
            f.add("Drafts", mail_text("later"));
            const auto now = look(f);
            f.rebuild();
            CHECK(look(f) == now);
        }
}

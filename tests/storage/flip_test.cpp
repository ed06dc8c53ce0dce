// Every byte of a small store flipped, one at a time: opening it and reading all of it gives the right data or a named
// error, never wrong data, never the end of the process. A view too large to be checked at every start may end the
// process, once. PEERPOST_LONG=1 flips every byte;
// else a sample, another one each time: PEERPOST_SEED=n plays one again.
#include "storage/view_structure.hpp"
#include "tests/storage/flips.hpp"
#include "tests/storage/store_fixture.hpp"

#include <chrono>
#include <map>
#include <random>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;
namespace fs = std::filesystem;

namespace {
bool whole_run() { return std::getenv("PEERPOST_LONG") != nullptr; }
constexpr std::uint64_t view_samples = 160, file_samples = 12;   // 10 s; where bytes are flipped, per file

struct known_mail {
    std::uint32_t uid = 0;
    mail::flags flags;
    std::string text;
};
using known_box = std::pair<std::uint32_t, std::vector<known_mail>>;   // UIDVALIDITY, mails
using known_store = std::map<std::string, known_box>;

known_store learn(store_fixture& f) {
    known_store out;
    for (const auto& b : f.store->read([](const read_txn& t) { return t.mailboxes().value(); })) {
        auto& [validity, mails] = out[b.name];
        validity = b.uid_validity;
        for (const auto& m : f.all(b.name)) mails.push_back({m.uid, m.flags, f.text_of(m.mail_serial)});
    }
    return out;
}

void fill(store_fixture& f, int mails) {
    f.store.reset();
    f.options.segment_bytes = 40 * 1024;
    f.options.zero_ahead_bytes = 8 * 1024;
    f.reopen();
    for (int i = 0; i < mails; ++i) {
        mail::flags flags;
        flags.system = static_cast<std::uint8_t>(i % 5);
        if (i % 3 == 0) flags.add("$label");
        f.add(i % 4 == 1 ? "Archive" : "INBOX",
              mail_text("m" + std::to_string(i), i % 9 == 4 ? 70000 : 900 + 90 * (i % 7)), flags,
              "<m" + std::to_string(i) + "@x>");
    }
    f.must([&](write_txn& t) -> result<void> {
        const auto inbox = t.find_mailbox("INBOX").value()->id;
        const auto moved = t.copy(inbox, mail::uid_set::of(2, 3), t.find_mailbox("Sent").value()->id, true);
        return moved ? result<void>() : result<void>(moved.error());
    });
}

enum outcome : int { right = 0, named_error = 1, wrong = 2 };

bool is_named(const error_code& e) { return e.category() == make_error_code(errc::damaged).category(); }

// In a process of its own: what does the damaged store say?
outcome look(const fs::path& folder, const account_keys& keys, const storage_options& options,
             const known_store& known) {
    recovery_report report;
    auto opened = account_store::open(folder, keys.clone(), report, options);
    if (!opened) return is_named(opened.error()) ? named_error : wrong;
    const auto& store = **opened;
    bool refused = false;
    const auto error = [&](const error_code& e) {
        refused = true;
        return is_named(e);
    };
    const auto boxes = store.read([](const read_txn& t) { return t.mailboxes(); });
    if (!boxes) return error(boxes.error()) ? named_error : wrong;
    if (boxes->size() != known.size()) return wrong;
    for (const auto& b : *boxes) {
        const auto found = known.find(b.name);
        if (found == known.end() || found->second.first != b.uid_validity) return wrong;
        const auto& mails = found->second.second;
        const auto rows = store.read([&](const read_txn& t) { return t.messages(b.id, 1, 100000); });
        if (!rows) {
            if (!error(rows.error())) return wrong;
            continue;
        }
        if (rows->size() != mails.size()) return wrong;
        for (std::size_t i = 0; i < mails.size(); ++i) {
            const auto& m = (*rows)[i];
            if (m.uid != mails[i].uid || !(m.flags == mails[i].flags)) return wrong;
            const auto index = store.read([&](const read_txn& t) { return t.index_of(m.mail_serial); });
            if (!index && !error(index.error())) return wrong;
            auto reader = store.open_blob(m.mail_serial);
            if (!reader) {
                if (!error(reader.error())) return wrong;
                continue;
            }
            bytes text(static_cast<std::size_t>((*reader)->size_bytes()));
            const auto n = (*reader)->read(0, text);
            if (!n) {
                if (!error(n.error())) return wrong;
                continue;
            }
            if (*n != text.size() || as_text(text) != mails[i].text) return wrong;
        }
    }
    if (const auto report_of = store.check({}); !report_of && !is_named(report_of.error())) return wrong;
    return refused ? named_error : right;
}

}  // namespace

TEST_CASE("flipped bytes anywhere in a store: right data or a named error") {
    store_fixture f;
    fill(f, 60);
    const auto known = learn(f);
    f.store.reset();
    const saved_folder saved(f.folder, f.home.path / "saved");
    const auto seed = seed_of_this_run();
    std::mt19937 dice(seed);
    std::map<std::string, std::array<int, 2>> seen;   // per kind of file: right, named error
    for (const auto& entry : fs::recursive_directory_iterator(saved.copy())) {
        if (!entry.is_regular_file()) continue;
        const auto name = fs::relative(entry.path(), saved.copy());
        const auto size = entry.file_size();
        const auto kind = name.begin()->string();
        const std::uint64_t step =
            whole_run() ? 1 : std::max<std::uint64_t>(1, size / (kind == "view" ? view_samples : file_samples));
        for (std::uint64_t at = whole_run() ? 0 : dice() % step; at < size;
             at += whole_run() ? 1 : 1 + dice() % (2 * step)) {
            const auto pattern = static_cast<std::byte>(dice() % 3 == 0 ? 0xff : 1u << (dice() % 8));
            INFO("seed " << seed << ", " << name << " byte " << at << " pattern " << static_cast<int>(pattern));
            saved.put_back();
            flip_byte(f.folder / name, at, pattern);
            const int got = in_a_child([&] { return look(f.folder, f.keys, f.options, known); });
            INFO("it said " << got << " (2: wrong data, below 0: a signal)");
            REQUIRE((got == right || got == named_error));
            // Damage of the view costs nothing: all of it stands in the log.
            if (kind.starts_with("view") && got == named_error) {
                const int again = in_a_child([&] { return look(f.folder, f.keys, f.options, known); });
                REQUIRE(again == right);
            }
            ++seen[kind][static_cast<std::size_t>(got)];
        }
    }
    std::printf("seed %u\n", seed);
    for (const auto& [kind, counts] : seen)
        std::printf("flips in %s: %d right, %d named errors\n", kind.c_str(), counts[0], counts[1]);
    CHECK(seen["blobs"][named_error] > 0);   // else the reader has looked at nothing
    CHECK(seen["log"][named_error] > 0);
    CHECK(seen["view"][right] > 0);
}

TEST_CASE("a view that ends the process is rebuilt at the second start") {
    store_fixture f;
    f.store.reset();
    f.options.fresh_rows = false;                // a commit each: deep enough for branch pages
    f.reopen();
    fill(f, 300);
    const auto known = learn(f);
    f.store.reset();
    const saved_folder saved(f.folder, f.home.path / "saved");
    f.options.view_checked_bytes = 0;            // as a large view: only a short look after a clean stop
    const auto view = durable::read_file(f.folder / "view", 1ull << 30).value();
    int ended = 0, branches = 0;
    for (std::size_t page = 2; page < view.size() / 4096; ++page) {
        const auto flags = static_cast<unsigned>(view[page * 4096 + 10]);
        if (flags != 1 && page % 8 != 0) continue;   // every branch page, some of the others
        branches += flags == 1;
        for (const std::size_t at :
             {std::size_t{0}, std::size_t{10}, std::size_t{13}, std::size_t{15}, std::size_t{17}, std::size_t{19}}) {
            INFO("page " << page << " byte " << at);
            saved.put_back();
            flip_byte(f.folder / "view", page * 4096 + at, std::byte{0x47});
            int got = in_a_child([&] { return look(f.folder, f.keys, f.options, known); });
            if (got < 0) {
                ++ended;
                got = in_a_child([&] { return look(f.folder, f.keys, f.options, known); });
                REQUIRE(got == right);
            }
        }
        if (!whole_run() && branches > 4 && ended > 0) break;
    }
    CHECK(branches > 0);
    std::printf("%d flips ended the process, none of them twice\n", ended);
    CHECK(ended > 0);   // else this test shows nothing

    // And the last resort, should the check of the pages miss something: two starts died while opening.
    saved.put_back();
    { std::ofstream(f.folder / "view.attempt", std::ios::binary) << '\x02'; }
    f.reopen();
    CHECK(f.report.view_rebuilt);
    CHECK(learn(f).size() == known.size());
    CHECK_FALSE(fs::exists(f.folder / "view.attempt"));
}

TEST_CASE("the check of the view's pages accepts every view that LMDB makes") {
    store_fixture f;
    std::mt19937 dice(3);
    for (int round = 0; round < 30; ++round) {
        for (int i = 0; i < 12; ++i)
            f.add(i % 2 ? "INBOX" : "Archive", mail_text(std::to_string(i), 200 + dice() % 3000), {}, "<x>");
        f.must([&](write_txn& t) -> result<void> {
            const auto id = t.find_mailbox(round % 2 ? "INBOX" : "Archive").value()->id;
            mail::flags gone;
            gone.system = mail::deleted;
            mail::uid_set none;
            const auto some = mail::uid_set::of(1 + dice() % 60, 60 + dice() % 60);
            if (const auto r = t.change_flags(id, some, write_txn::flag_change::add, gone, {}, none); !r)
                return r.error();
            const auto r = t.expunge(id, std::nullopt);
            return r ? t.put_setting("large", bytes(dice() % 20000)) : result<void>(r.error());
        });
        INFO(round);
        REQUIRE(f.store->settle());
        const auto checked = check_view_structure(f.folder / "view", structure_depth::whole);
        REQUIRE(checked.has_value());
        CHECK(checked->pages > 8);
        REQUIRE(check_view_structure(f.folder / "view", structure_depth::roots).has_value());
        if (round % 10 == 9) {
            f.reopen();
            CHECK_FALSE(f.report.view_rebuilt);   // the sum of its keys is what it says
        }
    }
}

TEST_CASE("what a large view costs to be checked", "[.bench]") {
    store_fixture f;
    f.store.reset();
    f.options = {};
    f.reopen();
    auto blob = f.blob(mail_text("one"));
    std::uint64_t serial = f.add("INBOX", mail_text("x")).mail_serial;
    const auto id = f.box("INBOX").id;
    for (int round = 0; round < 50; ++round)
        f.must([&](write_txn& t) -> result<void> {
            for (int i = 0; i < 10000; ++i)
                if (auto r = t.add_copy({id, {}, {1700000000, 60}, "<a" + std::to_string(round * 10000 + i) + "@x>"},
                                        serial);
                    !r)
                    return r.error();
            return {};
        });
    const auto bytes_of = fs::file_size(f.folder / "view");
    for (const auto how : {structure_depth::roots, structure_depth::whole}) {
        const auto begun = std::chrono::steady_clock::now();
        const auto r = check_view_structure(f.folder / "view", how);
        REQUIRE(r.has_value());
        std::printf("view of %llu MiB: %llu pages in %lld us\n", static_cast<unsigned long long>(bytes_of >> 20),
                    static_cast<unsigned long long>(r->pages),
                    static_cast<long long>(
                        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun)
                            .count()));
    }
}

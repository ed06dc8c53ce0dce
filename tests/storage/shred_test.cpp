// After shred() nothing in any file of the store opens a deleted mail with the keys that are left: not a frame of the
// log, not a row on any page of the view (in use or free), not a blob. The search is brute force over every place.
#include "storage/apply.hpp"
#include "storage/durable.hpp"
#include "storage/log_file.hpp"
#include "storage/new_generation.hpp"
#include "tests/storage/store_fixture.hpp"

#include <cerrno>
#include <chrono>
#include <future>
#include <set>
#include <thread>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;
namespace fs = std::filesystem;

namespace {

std::vector<std::pair<fs::path, bytes>> all_files(const fs::path& folder) {
    std::vector<std::pair<fs::path, bytes>> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file())
            out.emplace_back(entry.path(), durable::read_file(entry.path(), 1ull << 30).value());
    return out;
}

// Everything that opens with these keys, as plaintext.
struct opened_store {
    std::vector<bytes> plain;
    std::vector<crypto::blob_key> blob_keys;
    std::set<std::string> kinds;

    void keep(bytes p, const char* kind) {
        plain.push_back(std::move(p));
        kinds.insert(kind);
    }
};

void open_entries(const bytes& file, const store_secrets& s, opened_store& out) {
    for (std::size_t at = 0; at + frame_header_bytes <= file.size(); ++at) {
        const auto header = bytes_view(file).subspan(at, frame_header_bytes);
        const auto h = parse_frame_header(header);
        if (!h || h->type != frame_type::entry || at + frame_header_bytes + h->body_bytes > file.size()) continue;
        for (std::uint64_t generation = 1; generation < 5; ++generation) {
            const auto plain =
                open_entry(header, bytes_view(file).subspan(at + frame_header_bytes, h->body_bytes), generation, s.log);
            if (!plain) continue;
            out.keep(*plain, "entry");
            for (const auto& o : decode_operations(*plain).value()) {
                if (const auto* add = std::get_if<op::add_blob>(&o)) out.blob_keys.push_back(add->ref.key.clone());
                if (const auto* add = std::get_if<op::restore_blob>(&o)) out.blob_keys.push_back(add->ref.key.clone());
            }
        }
    }
}

void open_rows(const bytes& file, const store_secrets& s, opened_store& out) {
    std::set<std::array<std::byte, 16>> ids;   // of every view that ever stood here
    const auto each_node = [&](auto&& visit) {
        for (std::size_t at = 0; at + 8 < file.size(); at += 2) {
            byte_reader r(bytes_view(file).subspan(at));
            const std::size_t value_bytes = r.u32();
            r.u16();
            const std::size_t key_bytes = r.u16();
            if (key_bytes == 0 || key_bytes > 48 || value_bytes < 41 || value_bytes > 5000 ||
                key_bytes + value_bytes > r.left())
                continue;
            const auto key = r.raw(key_bytes);
            visit(key, r.raw(value_bytes));
        }
    };
    each_node([&](bytes_view key, bytes_view value) {
        if (key.size() != 1 || key[0] != std::byte{0} || value.size() != 81) return;
        std::array<std::byte, 16> id;
        std::copy_n(value.begin() + 1, 16, id.begin());
        ids.insert(id);
    });
    each_node([&](bytes_view key, bytes_view value) {
        for (const auto& id : ids)
            for (std::size_t t = 0; t < table_count; ++t) {
                auto plain = open_view_row(s.view, static_cast<table>(t), key, id, value);
                if (!plain) continue;
                if (static_cast<table>(t) == table::blob)
                    if (auto row = decode_blob(*plain))
                        if (auto opened = unwrap_blob_key(s.keys.shred_key, key_u64(key, 0), *row))
                            out.blob_keys.push_back(std::move(*opened));
                out.keep(std::move(*plain), "row");
            }
    });
}

void open_blobs(const bytes& file, opened_store& out) {
    const std::string_view text = as_text(file);
    for (auto at = text.find("PPB1"); at != text.npos; at = text.find("PPB1", at + 1)) {
        if (at + crypto::blob_header_bytes > file.size()) break;
        crypto::blob_header header;
        std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(at), header.size(), header.begin());
        for (const auto& key : out.blob_keys)
            for (const std::size_t size : {crypto::chunk_cipher_bytes, std::size_t{528}, std::size_t{1040},
                                           std::size_t{2064}, std::size_t{4112}}) {
                if (at + header.size() + size > file.size()) continue;
                auto d =
                    crypto::blob_decryptor::open(key, header, size == crypto::chunk_cipher_bytes ? 2 * size : size);
                if (!d) break;
                bytes plain;
                if (d->decrypt(0, bytes_view(file).subspan(at + header.size(), size), plain)) out.keep(plain, "blob");
            }
    }
}

opened_store open_everything(const fs::path& folder, const account_keys& keys) {
    const store_secrets s(keys.clone());
    opened_store out;
    const auto files = all_files(folder);
    for (const auto& [path, content] : files) {
        open_entries(content, s, out);
        open_rows(content, s, out);
    }
    for (const auto& [path, content] : files) open_blobs(content, out);
    return out;
}

bool holds(const opened_store& o, std::string_view needle) {
    return std::any_of(o.plain.begin(), o.plain.end(),
                       [&](const bytes& p) { return as_text(p).find(needle) != std::string_view::npos; });
}

account_keys shred(store_fixture& f) {
    account_keys kept;
    REQUIRE(f.store->shred([&](const account_keys& fresh) -> result<void> {
        kept = fresh.clone();
        return {};
    }));
    return kept;
}

void erase(store_fixture& f, std::uint32_t uid) {
    f.must([&](write_txn& t) -> result<void> {
        const auto id = t.find_mailbox("INBOX").value()->id;
        mail::flags gone;
        gone.system = mail::deleted;
        mail::uid_set none;
        if (auto r = t.change_flags(id, mail::uid_set::of(uid, uid), write_txn::flag_change::add, gone, {}, none); !r)
            return r.error();
        const auto r = t.expunge(id, mail::uid_set::of(uid, uid));
        return r ? result<void>() : result<void>(r.error());
    });
}
}  // namespace

TEST_CASE("after shred no page, frame or blob opens a deleted mail") {
    store_fixture f;
    f.store.reset();
    f.options.segment_bytes = 64 * 1024;
    f.reopen();
    const auto secret_small = f.add("INBOX", mail_text("canary-small", 1000), {}, "<canary-id@x>");
    const auto secret_large = f.add("INBOX", mail_text("canary-large", 150000));
    for (int i = 0; i < 12; ++i) f.add("INBOX", mail_text("kept-" + std::to_string(i), i == 5 ? 120000 : 900));
    std::vector<crypto::blob_key> deleted;
    std::vector<bytes> ciphertext;   // a thief, or a seeder, may have kept the deleted blobs
    for (const auto serial : {secret_small.mail_serial, secret_large.mail_serial})
        deleted.push_back(f.store->open_blob(serial).value()->ref().key.clone());
    for (const auto& entry : fs::recursive_directory_iterator(f.folder / "blobs"))
        if (entry.is_regular_file()) ciphertext.push_back(durable::read_file(entry.path(), 1ull << 30).value());
    const auto old_log = durable::read_file(segment_path(f.folder / "log", 1, 1), 1ull << 30).value();
    const auto old_view = durable::read_file(f.folder / "view", 1ull << 30).value();
    erase(f, secret_small.uid);
    erase(f, secret_large.uid);

    const auto knows = [&](const account_keys& keys) {
        const auto o = open_everything(f.folder, keys);
        CHECK(o.kinds.count("row") == 1);     // the search opens what may be opened
        CHECK(o.kinds.count("entry") == 1);
        CHECK(holds(o, "kept-3"));
        bool found = holds(o, "canary");
        for (const auto& key : deleted)
            for (const auto& other : o.blob_keys) found |= crypto::equal_constant_time(key.view(), other.view());
        for (const auto& p : o.plain)
            for (const auto& key : deleted) found |= as_text(p).find(as_text(key.view())) != std::string_view::npos;
        return found;
    };
    CHECK(knows(f.keys));   // the negative control: expunged, and still in the log and on free pages

    const auto before = f.all("INBOX");
    const auto box = f.box("INBOX");
    const auto fresh = shred(f);
    CHECK(f.all("INBOX").size() == before.size());
    f.store.reset();
    f.keys = fresh.clone();
    CHECK_FALSE(knows(fresh));
    // Nor does what somebody has kept of the old files: they are of the old keys.
    {
        std::ofstream(f.folder / "old.seg", std::ios::binary)
            .write(reinterpret_cast<const char*>(old_log.data()), static_cast<std::streamsize>(old_log.size()));
        std::ofstream(f.folder / "old.view", std::ios::binary)
            .write(reinterpret_cast<const char*>(old_view.data()), static_cast<std::streamsize>(old_view.size()));
        for (std::size_t i = 0; i < ciphertext.size(); ++i)
            std::ofstream(f.folder / ("old.blob" + std::to_string(i)), std::ios::binary)
                .write(reinterpret_cast<const char*>(ciphertext[i].data()),
                       static_cast<std::streamsize>(ciphertext[i].size()));
        CHECK_FALSE(knows(fresh));
        for (const auto& entry : fs::directory_iterator(f.folder))
            if (entry.path().filename().string().starts_with("old.")) fs::remove(entry.path());
    }

    f.reopen();
    CHECK_FALSE(f.report.view_rebuilt);
    CHECK(f.box("INBOX").uid_validity == box.uid_validity);
    CHECK(f.box("INBOX").uid_next == box.uid_next);
    CHECK(f.box("INBOX").highest_modseq == box.highest_modseq);
    const auto after = f.all("INBOX");
    REQUIRE(after.size() == before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
        CHECK(after[i].uid == before[i].uid);
        CHECK(after[i].modseq == before[i].modseq);
        CHECK(f.text_of(after[i].mail_serial) == mail_text("kept-" + std::to_string(i), i == 5 ? 120000 : 900));
    }
    CHECK(f.store->check({})->sound());
    f.rebuild();   // the new log says the same as the new view
    CHECK(f.all("INBOX").size() == before.size());
    CHECK(f.text_of(after[5].mail_serial) == mail_text("kept-5", 120000));
    CHECK(f.box("INBOX").uid_next == box.uid_next);
    CHECK(f.store->check({})->sound());
    CHECK(f.add("INBOX", mail_text("later")).uid == box.uid_next);
    CHECK(durable::names_in(f.folder / "log") == std::vector<std::string>{"2"});
}

TEST_CASE("a store with everything in it is the same after shred") {
    store_fixture f;
    f.add("INBOX", mail_text("one"), {}, "<one@x>");
    f.must([&](write_txn& t) -> result<void> {
        if (auto r = t.create_mailbox("Work/2026", special_use::none); !r) return r.error();
        if (auto r = t.set_subscribed("gone/elsewhere", true); !r) return r.error();
        if (auto r = t.put_setting("s", to_bytes("value")); !r) return r.error();
        if (auto r = t.mark_notification_seen(some_account(3), some_id(4)); !r) return r.error();
        invite i;
        i.token = some_id(7);
        if (auto r = t.put_invite(i); !r) return r.error();
        app_password p;
        p.id = some_id(8);
        p.name = "phone";
        if (auto r = t.put_password(p); !r) return r.error();
        contact c;
        c.account = some_account(9);
        return t.put_contact(c);
    });
    f.must([&](write_txn& t) -> result<void> {
        outbox_row row;
        row.id = some_id(1);
        row.mail_serial = t.messages(t.find_mailbox("INBOX").value()->id, 1, 10).value().front().mail_serial;
        return t.put_outbox(row);
    });
    erase(f, 1);   // only the outbox holds the mail now
    for (int round = 0; round < 3; ++round) {
        INFO(round);
        f.keys = shred(f);
        for (int look = 0; look < 3; ++look) {
            if (look == 1) f.reopen();
            if (look == 2) f.rebuild();
            f.store->read([&](const read_txn& t) {
                CHECK(t.find_mailbox("Work/2026").value().has_value());
                CHECK(t.subscriptions_without_mailbox().value().size() == 1);
                CHECK(as_text(*t.setting("s").value()) == "value");
                CHECK(t.notification_seen(some_account(3), some_id(4)).value());
                CHECK(t.get_invite(some_id(7)).value().has_value());
                CHECK(t.passwords().value().size() == 1);
                CHECK(t.get_contact(some_account(9)).value().has_value());
                const auto row = t.get_outbox(some_id(1)).value();
                REQUIRE(row.has_value());
                CHECK(t.changes_since(t.find_mailbox("INBOX").value()->id, 0, 100).value().vanished.contains(1));
            });
            const auto serial =
                f.store->read([](const read_txn& t) { return t.get_outbox(some_id(1)).value()->mail_serial; });
            CHECK(f.text_of(serial) == mail_text("one"));
            CHECK(f.store->check({})->sound());
        }
    }
}

// The network thread asks for it each minute; with a large store a shred takes longer than that.
TEST_CASE("how much was read can be asked while a shred is under way") {
    store_fixture f;
    auto answer = std::make_shared<std::promise<std::uint64_t>>();
    auto told = answer->get_future();
    std::thread asker;
    REQUIRE(f.store->shred([&](const account_keys& fresh) -> result<void> {
        asker = std::thread([&store = *f.store, answer] { answer->set_value(store.rows_read()); });
        CHECK(told.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
        f.keys = fresh.clone();
        return {};
    }));
    asker.join();
}

TEST_CASE("a shred that was cut off anywhere leaves a store that its keyring opens") {
    static int left;
    for (int n = 1;; ++n) {
        INFO("call " << n);
        store_fixture f;
        for (int i = 0; i < 6; ++i) f.add("INBOX", mail_text(std::to_string(i), i == 2 ? 90000 : 800));
        left = n;
        account_keys in_keyring = f.keys.clone();
        durable::set_fault_hook([](durable::call kind) {
            if (kind == durable::call::read || kind == durable::call::open) return 0;
            return --left <= 0 ? EIO : 0;   // from there on nothing works: as good as a cut
        });
        const auto done = f.store->shred([&](const account_keys& fresh) -> result<void> {
            if (left <= 0) return errc::io_error;
            in_keyring = fresh.clone();
            return {};
        });
        const bool reached = left <= 0;
        durable::set_fault_hook(nullptr);
        f.keys = std::move(in_keyring);
        f.reopen();
        CHECK(f.all("INBOX").size() == 6);
        CHECK(f.text_of(f.all("INBOX")[2].mail_serial) == mail_text("2", 90000));
        CHECK(f.store->check({})->sound());
        CHECK(durable::names_in(f.folder / "log").size() == 1);
        CHECK_FALSE(fs::exists(f.folder / "log.new"));
        f.add("INBOX", mail_text("more"));
        f.rebuild();
        CHECK(f.all("INBOX").size() == 7);
        if (!reached) {
            CHECK(done);
            break;
        }
    }
}

TEST_CASE("a shred that is refused a file anywhere loses nothing that is written after it") {
    static int left;
    for (int n = 1;; ++n) {
        INFO("open " << n);
        store_fixture f;
        for (int i = 0; i < 3; ++i) f.add("INBOX", mail_text(std::to_string(i), i == 2 ? 90000 : 800));
        const auto box = f.box("INBOX").id;
        account_keys in_keyring = f.keys.clone();
        left = n;
        durable::set_fault_hook(
            [](durable::call kind) { return kind == durable::call::open && --left == 0 ? EMFILE : 0; });
        const auto done = f.store->shred([&](const account_keys& fresh) -> result<void> {
            in_keyring = fresh.clone();
            return {};
        });
        const bool reached = left <= 0;
        durable::set_fault_hook(nullptr);
        f.keys = std::move(in_keyring);

        (void)f.store->try_heal();
        auto blob = f.blob(mail_text("more"));
        const auto added = f.run([&](write_txn& t) -> result<void> {
            const auto p = t.add_mail({box, {}, {1700000000, 60}, ""}, blob);
            return p ? result<void>() : result<void>(p.error());
        });
        for (int round = 0; round < 2; ++round) {
            round == 0 ? f.reopen() : f.rebuild();
            CHECK(f.all("INBOX").size() == (added ? 4u : 3u));
            CHECK(f.store->check({})->sound());
        }
        if (!reached) {
            CHECK(added);
            break;
        }
    }
}

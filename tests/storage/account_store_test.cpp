#include "tests/storage/store_fixture.hpp"

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

TEST_CASE("a new store has the standard mailboxes") {
    store_fixture f;
    const auto boxes = f.store->read([](const read_txn& t) { return t.mailboxes().value(); });
    std::vector<std::string> names;
    for (const auto& b : boxes) names.push_back(b.name);
    CHECK(names == std::vector<std::string>{"Archive", "Drafts", "INBOX", "Junk", "Outgoing", "Requests", "Sent",
                                                "Trash"});
    CHECK(f.box("Sent").use == special_use::sent);
    CHECK(f.box("inbox").name == "INBOX");
    CHECK(account_store::create(f.folder, f.keys.clone(), f.options).error() == errc::exists_already);
    CHECK(has_store(f.folder));
    CHECK_FALSE(has_store(f.home.path / "none"));
}

TEST_CASE("a mail is there after closing, and after the view was lost") {
    store_fixture f;
    mail::flags flags;
    flags.system = mail::flagged;
    flags.add("$Label1");
    const auto small = f.add("INBOX", mail_text("small"), flags);
    const auto large = f.add("INBOX", mail_text("large", 300000));
    CHECK(small.uid == 1);
    CHECK(large.uid == 2);
    const auto look = [&] {
        CHECK(f.text_of(small.mail_serial) == mail_text("small"));
        CHECK(f.text_of(large.mail_serial) == mail_text("large", 300000));
        const auto all = f.all("INBOX");
        REQUIRE(all.size() == 2);
        CHECK(all[0].flags == flags);
        CHECK(all[0].internal_date == mail::date_time{1700000000, 60});
        CHECK(all[1].size_bytes == mail_text("large", 300000).size());
        const auto index = f.store->read([&](const read_txn& t) { return t.index_of(large.mail_serial).value(); });
        CHECK(index->envelopes.at(0).subject == "large");
        CHECK(index->size_bytes == mail_text("large", 300000).size());
        CHECK(f.box("INBOX").uid_validity == small.uid_validity);
        CHECK(f.box("INBOX").uid_next == 3);
    };
    look();
    f.reopen();
    CHECK(f.report.entries_replayed == 0);
    look();
    f.rebuild();
    CHECK(f.report.entries_replayed == 3);
    look();
}

TEST_CASE("a failing job is undone alone") {
    store_fixture f;
    auto a = f.blob(mail_text("a")), b = f.blob(mail_text("b")), c = f.blob(mail_text("c"));
    const auto inbox = f.box("INBOX").id;
    const auto adding = [&](blob_writer& blob, bool fail) -> account_store::job {
        return [&, inbox, fail](write_txn& t) -> result<void> {
            const auto p = t.add_mail({inbox, {}, {}, ""}, blob);
            if (!p) return p.error();
            if (fail) return errc::limit;
            return {};
        };
    };
    std::vector<account_store::job> jobs{adding(a, false), adding(b, true), adding(c, false)};
    const auto results = f.store->write(jobs);
    CHECK(results[0]);
    CHECK(results[1].error() == errc::limit);
    CHECK(results[2]);
    for (int i = 0; i < 3; ++i) {
        const auto all = f.all("INBOX");
        REQUIRE(all.size() == 2);
        CHECK(all[1].uid == 2);
        CHECK(f.text_of(all[0].mail_serial) == mail_text("a"));
        CHECK(f.text_of(all[1].mail_serial) == mail_text("c"));
        i == 0 ? f.reopen() : f.rebuild();
    }
}

TEST_CASE("flags, copies, expunge and what changed since") {
    store_fixture f;
    for (int i = 0; i < 10; ++i) f.add("INBOX", mail_text("mail " + std::to_string(i)));
    const auto inbox = f.box("INBOX").id, archive = f.box("Archive").id;
    const auto before = f.box("INBOX").highest_modseq;
    mail::uid_set refused;
    mail::flags deleted;
    deleted.system = mail::deleted | mail::seen;
    f.must([&](write_txn& t) -> result<void> {
        const auto rows =
            t.change_flags(inbox, mail::uid_set::of(2, 4), write_txn::flag_change::add, deleted, {}, refused);
        if (!rows) return rows.error();
        CHECK(rows->size() == 3);
        CHECK(rows->at(0).modseq == before + 1);
        CHECK(rows->at(2).modseq == before + 3);
        CHECK(t.touched() == std::vector<mailbox_id>{inbox});
        return {};
    });
    CHECK(f.box("INBOX").unseen == 7);
    CHECK(f.box("INBOX").deleted == 3);
    f.must([&](write_txn& t) -> result<void> {
        const auto pairs = t.copy(inbox, mail::uid_set::of(4, 6), archive, false);
        if (!pairs) return pairs.error();
        CHECK(*pairs == std::vector<std::pair<std::uint32_t, std::uint32_t>>{{4, 1}, {5, 2}, {6, 3}});
        const auto moved = t.copy(inbox, mail::uid_set::of(10, 20), archive, true);
        if (!moved) return moved.error();
        CHECK(moved->size() == 1);
        const auto gone = t.expunge(inbox, std::nullopt);
        if (!gone) return gone.error();
        CHECK(gone->text() == "2:4");
        return {};
    });
    for (int i = 0; i < 3; ++i) {
        const auto uids = f.store->read([&](const read_txn& t) { return t.uids(inbox).value(); });
        CHECK(uids == std::vector<std::uint32_t>{1, 5, 6, 7, 8, 9});
        CHECK(f.all("Archive").size() == 4);
        CHECK(f.all("Archive")[0].flags.system == deleted.system);
        CHECK(f.text_of(f.all("Archive")[0].mail_serial) == mail_text("mail 3"));
        const auto changes =
            f.store->read([&](const read_txn& t) { return t.changes_since(inbox, before, 100).value(); });
        CHECK(changes.changed.empty());
        CHECK(changes.vanished.text() == "2:4,10");
        CHECK(f.box("INBOX").uid_next == 11);
        CHECK(f.box("INBOX").deleted == 0);
        i == 0 ? f.reopen() : f.rebuild();
    }
}

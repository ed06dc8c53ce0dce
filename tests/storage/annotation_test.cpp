#include "storage/limits.hpp"
#include "tests/storage/store_fixture.hpp"

#include <lmdb.h>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {
account_store::job note(mailbox_id box, std::string entry, std::optional<std::string> value) {
    return [=](write_txn& t) {
        return t.set_metadata(box, entry, value ? std::optional<bytes_view>(pp::as_bytes(*value)) : std::nullopt);
    };
}
std::string notes(store_fixture& f, mailbox_id box) {
    std::string out;
    for (const auto& n : f.store->read([&](const read_txn& t) { return t.metadata(box).value(); }))
        out += n.entry + '=' + std::string(as_text(n.value)) + ' ';
    return out;
}
std::uint64_t thread(store_fixture& f, const placed& p) {
    return f.store->read([&](const read_txn& t) { return t.thread_of(p.mail_serial).value(); });
}
std::string letter(std::string_view id, std::string_view references, std::string_view in_reply_to = "") {
    std::string out = "Subject: x\r\n";
    if (!id.empty()) out += "Message-ID: <" + std::string(id) + ">\r\n";
    if (!references.empty()) out += "References: " + std::string(references) + "\r\n";
    if (!in_reply_to.empty()) out += "In-Reply-To: " + std::string(in_reply_to) + "\r\n";
    return out + "\r\nbody\r\n";
}
bool sound(store_fixture& f) { return f.store->check({}).value().sound(); }
}  // namespace

TEST_CASE("annotations: of the account and of mailboxes, over restart and rebuild", "[annotation]") {
    store_fixture f;
    const auto inbox = f.box("INBOX").id, sent = f.box("Sent").id;
    f.must(note(no_mailbox, "/shared/comment", "all"));
    f.must(note(inbox, "/private/comment", "mine"));
    f.must(note(inbox, "/private/a", ""));
    f.must(note(sent, "/private/comment", "other"));
    f.must(note(inbox, "/private/comment", "changed"));
    f.must(note(inbox, "/private/none", std::nullopt));
    const auto as_written = [&] {
        CHECK(notes(f, no_mailbox) == "/shared/comment=all ");
        CHECK(notes(f, inbox) == "/private/a= /private/comment=changed ");
        CHECK(notes(f, sent) == "/private/comment=other ");
        CHECK(sound(f));
    };
    as_written();
    // RFC 7162 section 3.2: each change of a mailbox's annotations raises its modseq;
    // a removal of nothing changes none.
    const auto modseq = f.box("INBOX").highest_modseq;
    f.must(note(inbox, "/private/none", std::nullopt));
    CHECK(f.box("INBOX").highest_modseq == modseq);
    f.must(note(inbox, "/private/comment", "changed"));
    CHECK(f.box("INBOX").highest_modseq == modseq + 1);
    f.reopen();
    as_written();
    f.rebuild();
    as_written();
    CHECK(f.box("INBOX").highest_modseq == modseq + 1);
    f.must(note(inbox, "/private/comment", std::nullopt));
    f.rebuild();
    CHECK(notes(f, inbox) == "/private/a= ");
}

TEST_CASE("annotations follow a renamed mailbox, stay in INBOX and go with a deleted one", "[annotation]") {
    store_fixture f;
    f.must([](write_txn& t) -> result<void> {
        const auto made = t.create_mailbox("a", special_use::none);
        return made ? result<void>() : result<void>(made.error());
    });
    f.must(note(f.box("a").id, "/private/comment", "a"));
    f.must(note(f.box("INBOX").id, "/private/comment", "in"));
    f.must([](write_txn& t) { return t.rename_mailbox("a", "b"); });
    CHECK(notes(f, f.box("b").id) == "/private/comment=a ");
    f.must([](write_txn& t) { return t.rename_mailbox("INBOX", "old"); });
    CHECK(notes(f, f.box("INBOX").id) == "/private/comment=in ");
    CHECK(notes(f, f.box("old").id) == "/private/comment=in ");
    const auto b = f.box("b").id;
    f.must([](write_txn& t) { return t.delete_mailbox("b"); });
    CHECK(notes(f, b).empty());
    CHECK(sound(f));
    CHECK(f.run(note(b, "/private/comment", "x")).error() == errc::no_such_mailbox);
}

TEST_CASE("annotations have limits", "[annotation]") {
    store_fixture f;
    CHECK(f.run(note(no_mailbox, "", "x")).error() == errc::limit);
    CHECK(f.run(note(no_mailbox, std::string(metadata_entry_bytes_max + 1, 'x'), "x")).error() == errc::limit);
    CHECK(f.run(note(no_mailbox, "/shared/a", std::string(metadata_value_bytes_max + 1, 'x'))).error() ==
          errc::too_large);
    f.must([](write_txn& t) -> result<void> {
        for (std::size_t i = 0; i < metadata_entries_max; ++i)
            if (auto r = t.set_metadata(no_mailbox, "/shared/" + std::to_string(i), bytes_view()); !r) return r;
        return {};
    });
    CHECK(f.run(note(no_mailbox, "/shared/more", "x")).error() == errc::limit);
    f.must(note(no_mailbox, "/shared/0", "changing is no new entry"));
    f.must(note(no_mailbox, "/shared/1", std::nullopt));
    f.must(note(no_mailbox, "/shared/more", "x"));
}

TEST_CASE("threads: by References and In-Reply-To, in any order, over restart and rebuild", "[annotation]") {
    store_fixture f;
    const auto root = f.add("INBOX", letter("r@x", ""));
    const auto other = f.add("INBOX", letter("", ""));
    const auto answer = f.add("Sent", letter("a@x", "<r@x>"));
    const auto deeper = f.add("INBOX", letter("d@x", "<r@x> <a@x>"));
    const auto by_in_reply_to = f.add("INBOX", letter("e@x", "", "Your mail of today <a@x>"));
    // The answer comes before what it answers.
    const auto early = f.add("INBOX", letter("early@x", "<late@x>"));
    const auto late = f.add("INBOX", letter("late@x", ""));
    // Two threads that meet stay two.
    const auto meeting = f.add("INBOX", letter("m@x", "<late@x> <r@x>"));
    const auto again = f.add("Archive", letter("r@x", ""));
    const auto odd = f.add("INBOX", letter("o@x", "<< <> > <r@x"));
    const auto as_found = [&] {
        CHECK(thread(f, root) == root.mail_serial);
        CHECK(thread(f, other) == other.mail_serial);
        for (const auto& p : {answer, deeper, by_in_reply_to, again}) CHECK(thread(f, p) == root.mail_serial);
        CHECK(thread(f, early) == early.mail_serial);
        CHECK(thread(f, late) == early.mail_serial);
        CHECK(thread(f, meeting) == early.mail_serial);
        CHECK(thread(f, odd) == odd.mail_serial);
        CHECK(sound(f));
    };
    as_found();
    f.reopen();
    as_found();
    f.rebuild();
    as_found();
    // A mail that is gone still brings later answers together.
    f.must([&](write_txn& t) -> result<void> {
        mail::uid_set none, all = mail::uid_set::of(1, 1000);
        const auto box = t.find_mailbox("INBOX").value()->id;
        if (auto r = t.change_flags(box, all, write_txn::flag_change::add, {mail::deleted, {}}, std::nullopt, none); !r)
            return r.error();
        if (auto r = t.expunge(box, std::nullopt); !r) return r.error();
        return {};
    });
    CHECK(thread(f, f.add("INBOX", letter("later@x", "<d@x>"))) == root.mail_serial);
    CHECK(sound(f));
}

TEST_CASE("threads: a mail that names too many others is in the thread of the first", "[annotation]") {
    store_fixture f;
    const auto root = f.add("INBOX", letter("r@x", ""));
    std::string many = "<r@x>";
    for (std::size_t i = 0; i < 1000; ++i) many += " <" + std::to_string(i) + "@x>";
    CHECK(thread(f, f.add("INBOX", letter("m@x", many))) == root.mail_serial);
    CHECK(thread(f, f.add("INBOX", letter("n@x", "<999@x>"))) == root.mail_serial);
    const auto middle = f.add("INBOX", letter("o@x", "<500@x>"));   // left out of the tags
    CHECK(thread(f, middle) == middle.mail_serial);
}

TEST_CASE("a view that lacks tables is made again from the log, with what stood in them", "[annotation]") {
    store_fixture f;
    const auto root = f.add("INBOX", letter("r@x", ""));
    f.must(note(no_mailbox, "/shared/comment", "old"));
    f.store.reset();
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    REQUIRE(mdb_env_create(&env) == 0);
    mdb_env_set_maxdbs(env, 32);
    REQUIRE(mdb_env_open(env, (f.folder / "view").c_str(), MDB_NOSUBDIR, 0600) == 0);
    REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
    for (const auto* name : {"metadata", "thread", "threadref"}) {
        MDB_dbi dbi;
        REQUIRE(mdb_dbi_open(txn, name, 0, &dbi) == 0);
        REQUIRE(mdb_drop(txn, dbi, 1) == 0);
    }
    REQUIRE(mdb_txn_commit(txn) == 0);
    mdb_env_close(env);
    f.reopen();
    CHECK(f.report.view_rebuilt);
    CHECK(thread(f, root) == root.mail_serial);
    CHECK(notes(f, no_mailbox) == "/shared/comment=old ");
    CHECK(thread(f, f.add("INBOX", letter("a@x", "<r@x>"))) == root.mail_serial);
    CHECK(sound(f));
}

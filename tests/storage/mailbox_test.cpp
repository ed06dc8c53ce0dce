#include "storage/limits.hpp"
#include "tests/storage/store_fixture.hpp"

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {
std::vector<std::string> names(store_fixture& f) {
    std::vector<std::string> out;
    for (const auto& b : f.store->read([](const read_txn& t) { return t.mailboxes().value(); })) out.push_back(b.name);
    return out;
}
account_store::job create(std::string name) {
    return [name](write_txn& t) -> result<void> {
        const auto made = t.create_mailbox(name, special_use::none);
        return made ? result<void>() : result<void>(made.error());
    };
}
account_store::job renaming(std::string from, std::string to) {
    return [=](write_txn& t) { return t.rename_mailbox(from, to); };
}
account_store::job erasing(std::string name) {
    return [=](write_txn& t) { return t.delete_mailbox(name); };
}
bool has(const std::vector<std::string>& v, std::string_view name) {
    return std::find(v.begin(), v.end(), name) != v.end();
}
}  // namespace

TEST_CASE("names of mailboxes") {
    store_fixture f;
    f.must(create("a/b/c"));
    CHECK(has(names(f), "a"));
    CHECK(has(names(f), "a/b"));
    CHECK(f.run(create("a/b")).error() == errc::mailbox_exists);
    CHECK(f.run(create("inBox")).error() == errc::mailbox_exists);
    f.must(create("iNbOx/under"));
    CHECK(has(names(f), "INBOX/under"));
    CHECK(f.store->read([](const read_txn& t) { return t.find_mailbox("inbox/under").value(); }));
    CHECK_FALSE(f.store->read([](const read_txn& t) { return t.find_mailbox("A/b").value(); }));
    for (const std::string bad : {"", "/", "/a", "a/", "a//b", "a\nb", "a\x7f", "\xff", "a\xc2\x85", "\0x"})
        CHECK(f.run(create(bad)).error() == errc::bad_mailbox_name);
    CHECK(f.run(create(std::string(mailbox_name_bytes_max + 1, 'x'))).error() == errc::bad_mailbox_name);
    f.must(create(std::string(mailbox_name_bytes_max, 'x')));
    f.must(create("Entw\xc3\xbcrfe \xe2\x82\xac"));
    f.rebuild();
    CHECK(has(names(f), "Entw\xc3\xbcrfe \xe2\x82\xac"));
}

TEST_CASE("renaming takes the mailboxes below along") {
    store_fixture f;
    f.must(create("a/b/c"));
    f.add("a/b", mail_text("x"));
    const auto before = f.box("a/b");
    f.must(renaming("a", "new/a"));
    CHECK(f.box("new/a/b").id == before.id);
    CHECK(f.box("new/a/b").uid_validity == before.uid_validity);
    CHECK(f.all("new/a/b").size() == 1);
    CHECK_FALSE(has(names(f), "a"));
    CHECK(f.run(renaming("new/a", "new/a/x")).error() == errc::bad_mailbox_name);
    CHECK(f.run(renaming("new/a", "INBOX")).error() == errc::mailbox_exists);
    CHECK(f.run(renaming("none", "x")).error() == errc::no_such_mailbox);
}

TEST_CASE("renaming upwards: what moves itself is in nobody's way") {
    store_fixture f;
    f.must(create("z/b/b/b"));
    f.must(create("z/b/c"));
    f.must(erasing("z"));
    f.must([](write_txn& t) { return t.set_subscribed("z/b", true); });
    f.add("z/b", mail_text("upper"));
    const auto upper = f.box("z/b"), lower = f.box("z/b/b"), lowest = f.box("z/b/b/b"), beside = f.box("z/b/c");
    f.must(renaming("z/b", "z"));
    const auto holds = [&] {
        CHECK(f.box("z").id == upper.id);
        CHECK(f.box("z/b").id == lower.id);
        CHECK(f.box("z/b/b").id == lowest.id);
        CHECK(f.box("z/c").id == beside.id);
        CHECK_FALSE(has(names(f), "z/b/b/b"));
        CHECK_FALSE(has(names(f), "z/b/c"));
        CHECK(f.box("z").uid_validity == upper.uid_validity);
        CHECK(f.box("z/b").uid_validity == lower.uid_validity);
        CHECK(f.all("z").size() == 1);
        CHECK(f.all("z/b").empty());
        CHECK(f.box("z").subscribed);
        CHECK(f.box("z/b").subscribed);   // of the name: only the client takes it off
    };
    holds();
    f.rebuild();
    holds();
    // What stays is in the way as before, and then nothing has moved.
    f.must(create("y/b/c"));
    f.must(create("y/c"));
    f.must(erasing("y"));
    f.must(create("w/x"));
    f.must(erasing("w"));
    const auto before = names(f);
    CHECK(f.run(renaming("w", "w")).error() == errc::mailbox_exists);
    CHECK(f.run(renaming("y/b", "y")).error() == errc::mailbox_exists);
    CHECK(names(f) == before);
}

TEST_CASE("renaming INBOX moves its messages") {
    store_fixture f;
    f.add("INBOX", mail_text("x"));
    f.must(renaming("INBOX", "old"));
    CHECK(f.all("INBOX").empty());
    CHECK(f.all("old").size() == 1);
    CHECK(f.box("INBOX").uid_next == 2);
}

TEST_CASE("deleting: INBOX stays, mailboxes below stay, UIDVALIDITY rises, the subscription stays") {
    store_fixture f;
    CHECK(f.run(erasing("inbox")).error() == errc::cannot_delete);
    CHECK(f.run(erasing("none")).error() == errc::no_such_mailbox);
    f.must(create("a/b"));
    CHECK_FALSE(f.box("a").subscribed);   // as RFC 9051 section 6.3.4: CREATE does not subscribe
    CHECK_FALSE(f.box("a/b").subscribed);
    f.must([](write_txn& t) { return t.set_subscribed("a", true); });
    const auto p = f.add("a", mail_text("x"));
    const auto before = f.box("a").uid_validity;
    f.must(erasing("a"));
    CHECK_FALSE(has(names(f), "a"));
    CHECK(has(names(f), "a/b"));
    CHECK(f.store->open_blob(p.mail_serial).error() == errc::not_found);
    CHECK(f.store->read([](const read_txn& t) { return t.subscriptions_without_mailbox().value(); }) ==
          std::vector<std::string>{"a"});
    f.rebuild();
    f.must(create("a"));
    CHECK(f.box("a").uid_validity > before);
    CHECK(f.box("a").subscribed);
    CHECK(f.store->read([](const read_txn& t) { return t.subscriptions_without_mailbox().value(); }).empty());
    f.must(renaming("a/b", "a/c"));
    f.must(erasing("a"));
    f.must([](write_txn& t) { return t.set_subscribed("z/c", true); });
    f.must(renaming("a", "z"));   // a level without a mailbox
    CHECK(f.box("z/c").subscribed);   // the subscription waited for the name
    CHECK(has(names(f), "z/c"));
}

// RFC 9051 sections 6.3.6 and 6.3.7: a server takes no name off the subscriptions by itself.
TEST_CASE("renaming: the old name stays subscribed, and the new one is") {
    store_fixture f;
    f.must(create("a/b/b"));
    for (const auto* name : {"a", "a/b"}) f.must([&](write_txn& t) { return t.set_subscribed(name, true); });
    f.must(renaming("a", "z"));
    const auto waiting = [&] {
        return f.store->read([](const read_txn& t) { return t.subscriptions_without_mailbox().value(); });
    };
    const auto holds = [&] {
        CHECK(f.box("z").subscribed);
        CHECK(f.box("z/b").subscribed);
        CHECK_FALSE(f.box("z/b/b").subscribed);
        CHECK(waiting() == std::vector<std::string>{"a", "a/b"});
    };
    holds();
    f.rebuild();
    holds();
}

TEST_CASE("subscriptions and recent messages") {
    store_fixture f;
    f.must([](write_txn& t) { return t.set_subscribed("Sent", false); });
    f.must([](write_txn& t) { return t.set_subscribed("later", true); });
    f.add("INBOX", mail_text("x"));
    const auto inbox = f.box("INBOX").id;
    std::uint32_t first = 0;
    const account_store::job claim = [&](write_txn& t) -> result<void> {
        const auto got = t.claim_recent(inbox);
        if (!got) return got.error();
        first = *got;
        return {};
    };
    f.must(claim);
    CHECK(first == 1);
    f.must(claim);
    CHECK(first == 2);
    for (int i = 0; i < 2; ++i) {
        CHECK_FALSE(f.box("Sent").subscribed);
        CHECK(f.store->read([](const read_txn& t) { return t.subscriptions_without_mailbox().value(); }) ==
              std::vector<std::string>{"later"});
        CHECK(f.box("INBOX").first_recent_uid == 2);
        if (i == 0) f.rebuild();
    }
}

TEST_CASE("keywords keep the case of their first use and go when nothing uses them") {
    store_fixture f;
    mail::flags upper, lower;
    upper.add("$Work");
    lower.add("$WORK");
    f.add("INBOX", mail_text("1"), upper);
    f.add("INBOX", mail_text("2"), lower);
    const auto inbox = f.box("INBOX").id;
    const auto in_use = [&] { return f.store->read([&](const read_txn& t) { return t.keywords(inbox).value(); }); };
    CHECK(in_use() == std::vector<std::string>{"$Work"});
    CHECK(f.all("INBOX")[1].flags.keywords == std::vector<std::string>{"$Work"});
    mail::uid_set refused;
    f.must([&](write_txn& t) -> result<void> {
        const auto r =
            t.change_flags(inbox, mail::uid_set::of(1, 2), write_txn::flag_change::remove, lower, {}, refused);
        return r ? result<void>() : result<void>(r.error());
    });
    CHECK(in_use().empty());
    mail::flags bad;
    bad.keywords = {"\\Seen"};
    CHECK(f.run([&](write_txn& t) -> result<void> {
               const auto r =
                   t.change_flags(inbox, mail::uid_set::of(1, 2), write_txn::flag_change::add, bad, {}, refused);
               return r ? result<void>() : result<void>(r.error());
           }).error() == errc::limit);
}

TEST_CASE("unchanged_since refuses what changed later; pages of changes lose nothing") {
    store_fixture f;
    for (int i = 0; i < 7; ++i) f.add("INBOX", mail_text(std::to_string(i)));
    const auto inbox = f.box("INBOX").id;
    const auto base = f.box("INBOX").highest_modseq;
    mail::flags seen;
    seen.system = mail::seen;
    mail::uid_set refused;
    const auto change = [&](std::uint32_t a, std::uint32_t b, std::optional<std::uint64_t> since) {
        f.must([&](write_txn& t) -> result<void> {
            refused = {};
            const auto r =
                t.change_flags(inbox, mail::uid_set::of(a, b), write_txn::flag_change::add, seen, since, refused);
            return r ? result<void>() : result<void>(r.error());
        });
    };
    change(3, 3, {});
    change(1, 5, base);
    CHECK(refused.text() == "3");
    CHECK(f.store->read([&](const read_txn& t) { return t.first_unseen(inbox).value(); }) == 6u);
    std::vector<std::uint32_t> got;
    auto from = base;
    for (bool more = true; more;) {
        const auto c = f.store->read([&](const read_txn& t) { return t.changes_since(inbox, from, 2).value(); });
        for (const auto& m : c.changed) got.push_back(m.uid);
        more = c.more;
        if (!c.changed.empty()) from = c.changed.back().modseq;
    }
    CHECK(got == std::vector<std::uint32_t>{3, 1, 2, 4, 5});
}

TEST_CASE("the newest placement by Message-ID") {
    store_fixture f;
    f.add("Sent", mail_text("1"), {}, "<a@b>");
    const auto second = f.add("Sent", mail_text("2"), {}, "<a@b>");
    f.add("Sent", mail_text("3"), {}, "<c@d>");
    const auto sent = f.box("Sent").id;
    const auto find = [&](std::string_view id, unix_ms since) {
        return f.store->read([&](const read_txn& t) { return t.find_by_message_id(sent, id, since).value(); });
    };
    for (int i = 0; i < 2; ++i) {
        REQUIRE(find("<a@b>", 0));
        CHECK(find("<a@b>", 0)->uid == second.uid);
        CHECK_FALSE(find("<a@b>", 99999999999999));
        CHECK_FALSE(find("<x@y>", 0));
        CHECK_FALSE(find("", 0));
        f.rebuild();
    }
}

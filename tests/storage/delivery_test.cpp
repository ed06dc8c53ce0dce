#include "tests/storage/store_fixture.hpp"

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {
std::size_t blob_files(const store_fixture& f) {
    std::size_t n = 0;
    for (const auto& e : std::filesystem::recursive_directory_iterator(f.folder / "blobs")) n += e.is_regular_file();
    return n;
}
outbox_row row(std::uint8_t n, std::uint64_t serial) {
    outbox_row o;
    o.id = some_id(n);
    o.mail_serial = serial;
    o.recipient = "x@y";
    o.submitted_at = n;
    return o;
}
void expunge(store_fixture& f, std::string_view name) {
    const auto id = f.box(name).id;
    f.must([&](write_txn& t) -> result<void> {
        mail::flags gone;
        gone.system = mail::deleted;
        mail::uid_set refused;
        const auto changed =
            t.change_flags(id, mail::uid_set::of(1, 0xffffffff), write_txn::flag_change::add, gone, {}, refused);
        if (!changed) return changed.error();
        const auto r = t.expunge(id, std::nullopt);
        return r ? result<void>() : result<void>(r.error());
    });
}
}  // namespace

TEST_CASE("a blob stays while a placement or an outbox row needs it, and goes with the last") {
    store_fixture f;
    const auto text = mail_text("large", 200000);
    const auto p = f.add("Sent", text);
    CHECK(blob_files(f) == 1);
    const auto bytes_before = f.store->read([](const read_txn& t) { return t.blob_bytes().value(); });
    CHECK(bytes_before > text.size());
    f.must([&](write_txn& t) { return t.put_outbox(row(1, p.mail_serial)); });
    expunge(f, "Sent");
    CHECK(blob_files(f) == 1);
    f.reopen();
    CHECK(f.text_of(p.mail_serial) == text);
    f.rebuild();
    CHECK(f.text_of(p.mail_serial) == text);
    auto delivered = row(1, p.mail_serial);
    delivered.state = outbox_state::failed;
    f.must([&](write_txn& t) { return t.put_outbox(delivered); });
    CHECK(blob_files(f) == 1);
    const auto reader = f.store->open_blob(p.mail_serial).value();
    delivered.state = outbox_state::delivered;
    f.must([&](write_txn& t) { return t.put_outbox(delivered); });
    CHECK(blob_files(f) == 1);   // the view's file still names it
    REQUIRE(f.store->settle());
    CHECK(blob_files(f) == 0);
    CHECK(f.store->open_blob(p.mail_serial).error() == errc::not_found);
    CHECK(f.store->read([](const read_txn& t) { return t.blob_bytes().value(); }) == 0);
    bytes out(text.size());   // who had it open can read on
    CHECK(reader->read(0, out).value() == text.size());
    CHECK(as_text(out) == text);
    CHECK(f.run([&](write_txn& t) { return t.put_outbox(row(2, p.mail_serial)); }).error() == errc::not_found);
    f.rebuild();
    CHECK(f.store->check({})->sound());
}

TEST_CASE("moving the only placement keeps the blob") {
    store_fixture f;
    const auto p = f.add("INBOX", mail_text("large", 200000));
    const auto from = f.box("INBOX").id, to = f.box("Trash").id;
    f.must([&](write_txn& t) -> result<void> {
        const auto r = t.copy(from, mail::uid_set::of(1, 1), to, true);
        return r ? result<void>() : result<void>(r.error());
    });
    CHECK(f.text_of(p.mail_serial) == mail_text("large", 200000));
    CHECK(f.all("Trash")[0].mail_serial == p.mail_serial);
}

TEST_CASE("a writer that is not taken leaves no file") {
    store_fixture f;
    { auto b = f.blob(mail_text("large", 200000)); CHECK(blob_files(f) == 1); }
    CHECK(blob_files(f) == 0);
    { auto b = f.store->new_blob(); REQUIRE(b.write(to_bytes(mail_text("x", 200000)))); }
    CHECK(std::filesystem::is_empty(f.folder / "tmp"));
}

TEST_CASE("files of unfinished mails go at the next start, those of mails stay") {
    store_fixture f;
    const auto p = f.add("INBOX", mail_text("large", 200000));
    const auto orphan = f.folder / "blobs" / "ab" / (std::string("ab") + std::string(62, '0'));
    std::filesystem::create_directories(orphan.parent_path());
    std::filesystem::copy_file(f.folder / "view", orphan);
    std::filesystem::copy_file(f.folder / "view", f.folder / "tmp" / "half");
    f.reopen();
    CHECK_FALSE(std::filesystem::exists(orphan));
    CHECK(std::filesystem::is_empty(f.folder / "tmp"));
    CHECK(f.text_of(p.mail_serial) == mail_text("large", 200000));
}

TEST_CASE("one blob in two mailboxes of one job, and again in the next") {
    store_fixture f;
    auto b = f.blob(mail_text("twice"));
    const auto inbox = f.box("INBOX").id, sent = f.box("Sent").id;
    std::uint64_t serial = 0;
    f.must([&](write_txn& t) -> result<void> {
        const auto one = t.add_mail({inbox, {}, {}, ""}, b), two = t.add_mail({sent, {}, {}, ""}, b);
        if (!one || !two) return errc::io_error;
        CHECK(one->mail_serial == two->mail_serial);
        serial = one->mail_serial;
        return {};
    });
    f.must([&](write_txn& t) -> result<void> {
        const auto three = t.add_copy({sent, {}, {}, ""}, serial);
        return three ? result<void>() : result<void>(three.error());
    });
    CHECK(f.all("Sent").size() == 2);
    CHECK(f.store->check({})->sound());
    CHECK(f.run([&](write_txn& t) -> result<void> {
               const auto r = t.add_copy({sent, {}, {}, ""}, 4711);
               return r ? result<void>() : result<void>(r.error());
           }).error() == errc::not_found);
}

TEST_CASE("rows of delivery and people") {
    store_fixture f;
    const auto p = f.add("Sent", mail_text("x"));
    contact c;
    c.account = some_account(7);
    c.name = "Bob";
    c.endpoints = {"h:1", "i:2"};
    c.record = to_bytes("record");
    c.blocked = true;
    inbound_row in;
    in.notification = some_id(9);
    in.sender = some_account(7);
    in.opened = to_bytes("opened");
    invite inv{some_id(3), 1, 2, 3};
    app_password pw{some_id(4), "thunderbird", {}, 5, 6};
    f.must([&](write_txn& t) -> result<void> {
        for (const auto& r :
             {t.put_outbox(row(2, p.mail_serial)), t.put_outbox(row(1, p.mail_serial)), t.put_contact(c),
              t.put_inbound(in), t.put_invite(inv), t.put_password(pw), t.put_setting("poll", to_bytes("value")),
              t.mark_notification_seen(c.account, some_id(9))})
            if (!r) return r;
        return {};
    });
    for (int i = 0; i < 3; ++i) {
        f.store->read([&](const read_txn& t) {
            const auto open = t.outbox(true).value();
            REQUIRE(open.size() == 2);
            CHECK(open[0].id == some_id(1));
            CHECK(t.get_outbox(some_id(2)).value()->recipient == "x@y");
            CHECK(t.get_contact(c.account).value()->endpoints == c.endpoints);
            CHECK(t.get_contact(c.account).value()->blocked);
            CHECK_FALSE(t.get_contact(some_account(8)).value());
            CHECK(t.contacts().value().size() == 1);
            CHECK(t.inbound().value().at(0).opened == in.opened);
            CHECK(t.get_invite(inv.token).value()->uses_left == 3);
            CHECK(t.passwords().value().at(0).name == "thunderbird");
            CHECK(t.setting("poll").value() == to_bytes("value"));
            CHECK_FALSE(t.setting("other").value());
            CHECK(t.notification_seen(c.account, some_id(9)).value());
            CHECK_FALSE(t.notification_seen(c.account, some_id(8)).value());
            CHECK_FALSE(t.notification_seen(some_account(6), some_id(9)).value());
            return 0;
        });
        i == 0 ? f.reopen() : f.rebuild();
    }
    f.must([&](write_txn& t) -> result<void> {
        for (const auto& r : {t.erase_outbox(some_id(1)), t.erase_outbox(some_id(1)), t.erase_contact(c.account),
                              t.erase_inbound(in.notification), t.erase_invite(inv.token), t.erase_password(pw.id)})
            if (!r) return r;
        return {};
    });
    f.rebuild();
    f.store->read([&](const read_txn& t) {
        CHECK(t.outbox(false).value().size() == 1);
        CHECK(t.contacts().value().empty());
        CHECK(t.inbound().value().empty());
        CHECK_FALSE(t.get_invite(inv.token).value());
        CHECK(t.passwords().value().empty());
        return 0;
    });
    CHECK(f.run([&](write_txn& t) { return t.put_setting("", {}); }).error() == errc::limit);
}

TEST_CASE("not a readable word of ours on the disk") {
    store_fixture f;
    const std::string canary = "Kanarienvogel";
    f.must([&](write_txn& t) -> result<void> {
        const auto r = t.create_mailbox(canary + "/sub", special_use::none);
        if (!r) return r.error();
        contact c;
        c.account = some_account(0x5a);
        c.name = canary;
        c.endpoints = {canary + ":1"};
        for (const auto& done :
             {t.put_contact(c), t.set_subscribed(canary + "2", true), t.put_setting(canary, to_bytes(canary)),
              t.put_password({some_id(1), canary, {}, 1, 1})})
            if (!done) return done;
        return {};
    });
    mail::flags keyword;
    keyword.add(canary);
    const auto p = f.add(canary, mail_text(canary), keyword, "<" + canary + "@x>");
    f.add(canary, mail_text(canary, 300000), keyword, "<" + canary + "@y>");
    f.must([&](write_txn& t) {
        auto o = row(1, p.mail_serial);
        o.recipient = canary + "@z";
        return t.put_outbox(o);
    });
    f.store.reset();
    std::size_t files = 0;
    const std::string account(32, '\x5a');
    for (const auto& e : std::filesystem::recursive_directory_iterator(f.home.path)) {
        CHECK(e.path().string().find(canary) == std::string::npos);
        if (!e.is_regular_file()) {
            CHECK((e.status().permissions() & std::filesystem::perms::others_all) == std::filesystem::perms::none);
            continue;
        }
        ++files;
        CHECK((e.status().permissions() & static_cast<std::filesystem::perms>(077)) == std::filesystem::perms::none);
        std::ifstream in(e.path(), std::ios::binary);
        const std::string content{std::istreambuf_iterator<char>(in), {}};
        INFO(e.path());
        CHECK(content.find(canary) == std::string::npos);
        CHECK(content.find(account) == std::string::npos);
    }
    CHECK(files >= 3);
    f.reopen();
    CHECK(f.text_of(p.mail_serial) == mail_text(canary));   // and it was really there
}

TEST_CASE("an outbox row is found by its notification, its mail and its recipient, whatever becomes of the store") {
    store_fixture f;
    const auto p = f.add("Sent", mail_text("led to"));
    const auto q = f.add("Sent", mail_text("another"));
    const auto make = [&](std::uint8_t n, std::uint64_t serial, std::uint8_t to) {
        auto o = row(n, serial);
        o.notification = some_id(static_cast<std::uint8_t>(100 + n));
        o.account.data.fill(static_cast<std::byte>(to));
        return o;
    };
    f.must([&](write_txn& t) -> result<void> {
        for (const auto& o : {make(1, p.mail_serial, 7), make(2, p.mail_serial, 8), make(3, q.mail_serial, 7)})
            if (auto r = t.put_outbox(o); !r) return r;
        CHECK(t.delivery_touched().outbox.size() == 3);
        CHECK(t.outbox_of_mail(p.mail_serial)->size() == 2);   // a job sees its own changes
        return {};
    });
    crypto::account_key seven, eight;
    seven.data.fill(std::byte{7});
    eight.data.fill(std::byte{8});
    const auto look = [&] {
        f.store->read([&](const read_txn& t) -> result<void> {
            for (std::uint8_t n = 1; n <= 3; ++n) {
                const auto found = t.outbox_of_notification(some_id(static_cast<std::uint8_t>(100 + n))).value();
                REQUIRE(found);
                CHECK(found->id == some_id(n));
            }
            CHECK_FALSE(t.outbox_of_notification(some_id(1)).value());
            CHECK(t.outbox_of_mail(p.mail_serial)->size() == 2);
            CHECK(t.outbox_of_mail(q.mail_serial)->front().id == some_id(3));
            CHECK(t.outbox_of_mail(999)->empty());
            CHECK(t.is_mail_open_to(seven).value());
            CHECK_FALSE(t.is_mail_open_to(eight).value());   // failed
            CHECK(t.open_outbox_ids()->size() == 2);
            return {};
        }).value();
        CHECK(f.store->check({})->sound());
        CHECK(f.store->check({})->warnings.empty());
    };
    auto failed = make(2, p.mail_serial, 8);
    failed.state = outbox_state::failed;
    f.must([&](write_txn& t) { return t.put_outbox(failed); });
    look();
    f.reopen();
    look();
    f.rebuild();
    look();
    f.must([&](write_txn& t) { return t.erase_outbox(some_id(3)); });
    f.must([&](write_txn& t) { return t.erase_outbox(some_id(1)); });
    f.store->read([&](const read_txn& t) -> result<void> {
        CHECK_FALSE(t.outbox_of_notification(some_id(103)).value());
        CHECK_FALSE(t.is_mail_open_to(seven).value());
        CHECK(t.outbox_of_mail(q.mail_serial)->empty());
        return {};
    }).value();
    CHECK(f.store->check({})->warnings.empty());
}

TEST_CASE("what is asked for one mail reads the rows of that mail, however many are open") {
    store_fixture f;
    const auto p = f.add("Sent", mail_text("one of many"));
    const auto id_of = [](std::uint32_t n, std::uint8_t kind) {
        id16 id{};
        id[0] = static_cast<std::byte>(kind);
        id[1] = static_cast<std::byte>(n >> 8);
        id[2] = static_cast<std::byte>(n);
        return id;
    };
    const auto cost = [&](std::uint32_t n) {
        const auto before = f.store->rows_read();
        f.store->read([&](const read_txn& t) -> result<void> {
            CHECK(t.outbox_of_notification(id_of(n, 1)).value()->id == id_of(n, 0));
            CHECK(t.get_inbound(id_of(n, 2)).value()->notification == id_of(n, 2));
            CHECK(t.is_mail_open_to({}).value());
            CHECK(t.count_inbound(5).value() <= 5);
            return {};
        }).value();
        return f.store->rows_read() - before;
    };
    const auto add = [&](std::uint32_t from, std::uint32_t to) {
        f.must([&](write_txn& t) -> result<void> {
            for (auto n = from; n < to; ++n) {
                auto o = row(1, p.mail_serial);
                o.id = id_of(n, 0);
                o.notification = id_of(n, 1);
                if (auto r = t.put_outbox(o); !r) return r;
                inbound_row i;
                i.notification = id_of(n, 2);
                if (auto r = t.put_inbound(i); !r) return r;
            }
            return {};
        });
    };
    add(0, 10);
    const auto with_few = cost(5);
    CHECK(with_few < 20);
    add(10, 1000);
    CHECK(cost(5) == with_few);
    CHECK(cost(900) == with_few);
    REQUIRE(f.store->settle());
    CHECK(cost(900) == with_few);
}

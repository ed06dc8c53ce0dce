// The UIDs a reader is told are those of the rows, whatever happened since somebody asked last.
#include "storage/limits.hpp"
#include "tests/storage/store_fixture.hpp"

#include <random>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {
std::vector<std::uint32_t> told(const store_fixture& f, mailbox_id box) {
    return f.store->read([&](const read_txn& t) { return t.uids(box).value(); });
}

std::vector<std::uint32_t> there(const store_fixture& f, mailbox_id box) {
    std::vector<std::uint32_t> out;
    const auto rows = f.store->read([&](const read_txn& t) { return t.messages(box, 1, 100000).value(); });
    for (const auto& m : rows) out.push_back(m.uid);
    return out;
}

result<void> expunge_some(write_txn& t, mailbox_id box, std::uint32_t first, std::uint32_t last) {
    mail::flags gone;
    gone.system = mail::deleted;
    mail::uid_set none;
    const auto some = mail::uid_set::of(first, last);
    if (const auto r = t.change_flags(box, some, write_txn::flag_change::add, gone, {}, none); !r) return r.error();
    const auto r = t.expunge(box, some);
    return r ? result<void>() : result<void>(r.error());
}
}  // namespace

TEST_CASE("UIDs are followed through everything that changes them", "[uids]") {
    store_fixture f;
    std::mt19937 dice(11);
    const auto inbox = f.box("INBOX").id, archive = f.box("Archive").id;
    std::uint32_t added = 0;
    for (int round = 0; round < 400; ++round) {
        INFO(round);
        const auto at = 1 + dice() % (added + 1);
        switch (dice() % 6) {
            case 0:
            case 1:
                for (unsigned i = dice() % 4; i-- > 0; ++added) f.add("INBOX", mail_text(std::to_string(round), 100));
                break;
            case 2: f.must([&](write_txn& t) { return expunge_some(t, inbox, at, at + dice() % 3); }); break;
            case 3:
                f.must([&](write_txn& t) -> result<void> {
                    const auto r = t.copy(inbox, mail::uid_set::of(at, at + 1), archive, dice() % 2 == 0);
                    return r ? result<void>() : result<void>(r.error());
                });
                break;
            case 4: {   // undone: its modseqs are given again
                const auto r = f.run([&](write_txn& t) -> result<void> {
                    if (const auto gone = expunge_some(t, inbox, at, at + 5); !gone) return gone;
                    return errc::limit;
                });
                CHECK_FALSE(r);
                break;
            }
            default:
                if (dice() % 8 == 0) f.reopen();
                else if (dice() % 4 == 0) REQUIRE(f.store->settle());
        }
        if (dice() % 3 == 0) REQUIRE(told(f, archive) == there(f, archive));
        REQUIRE(told(f, inbox) == there(f, inbox));
    }
    CHECK(there(f, inbox).size() > 20);
}

TEST_CASE("a reader who began earlier is told what was there then", "[uids]") {
    store_fixture f;
    const auto inbox = f.box("INBOX").id;
    for (int i = 0; i < 3; ++i) f.add("INBOX", mail_text("one"));
    f.store->read([&](const read_txn& before) {
        f.must([&](write_txn& t) { return expunge_some(t, inbox, 2, 2); });
        f.add("INBOX", mail_text("two"));
        CHECK(told(f, inbox) == std::vector<std::uint32_t>{1, 3, 4});
        CHECK(before.uids(inbox).value() == std::vector<std::uint32_t>{1, 2, 3});
        return 0;
    });
    CHECK(told(f, inbox) == std::vector<std::uint32_t>{1, 3, 4});
}

TEST_CASE("more mailboxes than are remembered", "[uids]") {
    store_fixture f;
    std::vector<mailbox_id> boxes;
    for (std::size_t i = 0; i < uid_lists_max + 6; ++i) {
        const auto name = "box" + std::to_string(i);
        f.must([&](write_txn& t) -> result<void> {
            const auto made = t.create_mailbox(name, special_use::none);
            return made ? result<void>() : result<void>(made.error());
        });
        for (std::size_t n = 0; n <= i % 3; ++n) f.add(name, mail_text("x", 50));
        boxes.push_back(f.box(name).id);
    }
    for (int round = 0; round < 2; ++round)
        for (const auto box : boxes) REQUIRE(told(f, box) == there(f, box));
}

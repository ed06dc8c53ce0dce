#include "daemon/engine/open_mails.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;
using storage::outbox_state;

namespace {
storage::id16 id_of(std::uint32_t n, std::uint8_t kind = 0) {
    storage::id16 id{};
    id[0] = static_cast<std::byte>(kind);
    id[1] = static_cast<std::byte>(n >> 8);
    id[2] = static_cast<std::byte>(n);
    return id;
}
crypto::account_key somebody(std::uint8_t n) {
    crypto::account_key key;
    key.data.fill(static_cast<std::byte>(n));
    return key;
}
storage::outbox_row row(std::uint32_t n, std::uint8_t to = 1) {
    storage::outbox_row r;
    r.id = id_of(n);
    r.submission = id_of(n, 1);
    r.account = somebody(to);
    r.submitted_at = 1000 + n;
    return r;
}
std::vector<storage::id16> due(open_mails& all, storage::unix_ms now) {
    std::vector<storage::id16> out;
    while (const auto id = all.take_due(now)) out.push_back(*id);
    return out;
}
}  // namespace

TEST_CASE("only what has changed or is due is looked at, however much is open", "[open_mails]") {
    open_mails all;
    for (std::uint32_t n = 0; n < 10000; ++n) all.changed(row(n));
    CHECK(due(all, 0).size() == 10000);   // each once, in the beginning
    CHECK_FALSE(all.next_look());
    for (std::uint32_t n = 0; n < 10000; ++n) all.look(id_of(n), 100000 + n);
    CHECK(due(all, 99999).empty());
    CHECK(due(all, 100001) == std::vector{id_of(0), id_of(1)});
    CHECK(all.next_look() == 100002);
    all.changed(row(7777));   // a receipt, say
    CHECK(due(all, 0) == std::vector{id_of(7777)});
    auto over = row(8);
    over.state = outbox_state::delivered;
    all.changed(over);
    CHECK_FALSE(all.knows(id_of(8)));
    CHECK(all.size() == 9999);
    CHECK(due(all, 100008).size() == 6);   // 2 to 7: 8 is over, 7777 was looked at
}

TEST_CASE("a look that was asked for twice is the earlier one, and happens once", "[open_mails]") {
    open_mails all;
    all.changed(row(1));
    REQUIRE(due(all, 0).size() == 1);
    all.look(id_of(1), 500);
    all.look(id_of(1), 300);
    all.look(id_of(1), 900);
    all.look(id_of(2), 100);   // of a row that is not here: nothing
    CHECK(all.next_look() == 300);
    CHECK(due(all, 299).empty());
    CHECK(due(all, 1000) == std::vector{id_of(1)});
    CHECK_FALSE(all.next_look());
}

TEST_CASE("who is waited for, the oldest mail first", "[open_mails]") {
    open_mails all;
    for (std::uint32_t n = 9; n > 0; --n) all.changed(row(n, n % 2 ? 1 : 2));
    due(all, 0);
    CHECK_FALSE(all.any_waits_for(somebody(1)));
    for (std::uint32_t n = 1; n < 10; ++n) all.set_waits(id_of(n), true);
    REQUIRE(all.waiting_for(somebody(2)).size() == 4);
    CHECK(all.waiting_for(somebody(2)).begin()->second == id_of(2));
    all.look_at_all_to(somebody(2), 50);
    CHECK(due(all, 50) == std::vector{id_of(2), id_of(4), id_of(6), id_of(8)});
    for (std::uint32_t n = 2; n < 10; n += 2) all.gone(id_of(n));
    CHECK_FALSE(all.any_waits_for(somebody(2)));
    CHECK(all.waiting_for(somebody(2)).empty());
    all.set_waits(id_of(1), false);
    CHECK(all.waiting_for(somebody(1)).size() == 4);
}

TEST_CASE("a mail that is dated anew takes its place among those that wait", "[open_mails]") {
    open_mails all;
    for (std::uint32_t n = 1; n < 4; ++n) {
        all.changed(row(n));
        all.set_waits(id_of(n), true);
    }
    auto later = row(1);
    later.submitted_at = 5000;
    all.changed(later);
    REQUIRE(all.waiting_for(somebody(1)).size() == 3);
    CHECK(all.waiting_for(somebody(1)).rbegin()->second == id_of(1));
    all.set_waits(id_of(1), false);
    CHECK(all.waiting_for(somebody(1)).size() == 2);
}

TEST_CASE("a failure is noted in the oldest mails each time, in the others when its reason is new", "[open_mails]") {
    open_mails all;
    for (std::uint32_t n = 0; n < 300; ++n) {
        all.changed(row(n));
        all.set_waits(id_of(n), true);
    }
    const auto note = [&](std::size_t reason, std::size_t always) {
        auto ids = all.not_told(somebody(1), reason, always, 256);
        for (const auto& id : ids) all.told(id, reason);
        return ids.size();
    };
    CHECK(note(11, 64) == 256);
    CHECK(note(11, 0) == 44);
    CHECK(note(11, 64) == 64);
    CHECK(note(11, 0) == 0);
    all.changed(row(300));
    all.set_waits(id_of(300), true);
    CHECK(note(11, 64) == 65);
    CHECK(note(12, 0) == 256);
    CHECK(all.not_told(somebody(1), 12, 2, 256).front() == id_of(0));
}

TEST_CASE("the rows of one mail, and the mail that a message of Outgoing tells of", "[open_mails]") {
    open_mails all;
    auto one = row(1), two = row(2), three = row(3);
    two.submission = one.submission;
    for (auto* r : {&one, &two, &three}) all.changed(*r);
    CHECK(all.of_submission(one.submission) == std::vector{id_of(1), id_of(2)});
    CHECK(all.submissions_in_outgoing().empty());
    one.outgoing_uid = two.outgoing_uid = 5;
    three.outgoing_uid = 9;
    for (auto* r : {&one, &two, &three}) all.changed(*r);
    CHECK(all.submissions_in_outgoing(1, 8) == std::vector{one.submission});
    CHECK(all.submissions_in_outgoing(6, 9) == std::vector{three.submission});
    all.gone(one.id);
    CHECK(all.submissions_in_outgoing(5, 5) == std::vector{one.submission});   // the other recipient is waited for
    two.outgoing_uid = 12;   // its message is another now
    all.changed(two);
    CHECK(all.submissions_in_outgoing(5, 5).empty());
    CHECK(all.submissions_in_outgoing(12, 12) == std::vector{one.submission});
    all.gone(two.id);
    CHECK(all.submissions_in_outgoing() == std::vector{three.submission});
    CHECK(all.of_submission(one.submission).empty());
}

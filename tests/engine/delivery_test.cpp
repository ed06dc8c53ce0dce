#include "daemon/engine/delivery.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

using namespace pp;
using namespace pp::engine;
using storage::outbox_row;
using storage::outbox_state;

namespace {

constexpr unix_ms start = people::now * 1000;
constexpr unix_ms minute = 60000, day = 24 * 60 * minute;

outbox_row row_to_bob() {
    const auto n = people::mail_to_bob();
    outbox_row row;
    row.account = n.recipient;
    row.notification = n.id;
    row.submitted_at = row.state_since = start;
    return row;
}
bytes receipt_of_bob() {
    const auto b = people::bob();
    return peer::encode(peer::make_receipt(people::mail_to_bob(), b.certificate(), b.device, people::now + 9));
}
const auto me = people::mail_to_bob().sender;
const auto blob = people::mail_to_bob().blob;

notify_outcome answered(outbox_row row, peer::notify_reply reply, unix_ms now = start + 5) {
    return notify_answered(std::move(row), reply, me, blob, now, 0);
}

}  // namespace

TEST_CASE("attempts back off from 30 s to an hour, spread by a quarter") {
    CHECK(next_attempt(0, 0, 0) == 30000);
    CHECK(next_attempt(1, 0, 0) == 60000);
    CHECK(next_attempt(6, 0, 0) == 32 * minute);
    CHECK(next_attempt(7, 0, 0) == 60 * minute);
    CHECK(next_attempt(4000000000u, 0, 0) == 60 * minute);
    CHECK(next_attempt(0, 1000, 0.5) == 1000 + 30000 + 3750);
    CHECK(next_attempt(50, 0, 0.999) < 75 * minute);
}

TEST_CASE("a mail that cannot be brought is tried for five days and fails once") {
    auto row = row_to_bob();
    unix_ms now = start;
    int attempts = 0;
    while (row.state == outbox_state::queued) {
        REQUIRE(is_due(row, now));
        row = attempt_failed(row, "no answer", now, 0.3);
        CHECK(row.state == outbox_state::queued);   // an attempt gives nothing up
        row = give_up_when_late(row, now);
        ++attempts;
        REQUIRE(attempts < 1000);
        if (row.state == outbox_state::queued) {
            REQUIRE(row.next_attempt_at > now);
            now = row.next_attempt_at;
        }
    }
    CHECK(row.state == outbox_state::failed);
    CHECK(now == start + 5 * day);
    CHECK(row.state_since == now);
    CHECK(row.last_error.find("five days") != std::string::npos);
    CHECK(row.last_error.find("no answer") != std::string::npos);
    CHECK(attempts > 100);
    CHECK_FALSE(is_due(row, now + day));
    CHECK(attempt_failed(row, "again", now + day, 0).state_since == now);
}

TEST_CASE("answers move the row") {
    const auto stored = answered(row_to_bob(), {peer::notify_status::stored, receipt_of_bob(), ""});
    CHECK(stored.row.state == outbox_state::delivered);
    CHECK(stored.row.receipt == receipt_of_bob());
    CHECK(stored.row.state_since == start + 5);

    const auto fetching = answered(row_to_bob(), {peer::notify_status::fetching, {}, ""});
    CHECK(fetching.row.state == outbox_state::notified);
    CHECK(fetching.row.next_attempt_at == start + 5 + 15 * minute);
    CHECK(give_up_when_late(fetching.row, start + 5 * day).state == outbox_state::failed);
    CHECK(give_up_when_late(fetching.row, start + 5 * day - 1).state == outbox_state::notified);

    const auto refused = answered(row_to_bob(), {peer::notify_status::refused, {}, "too large"});
    CHECK(refused.row.state == outbox_state::failed);
    CHECK(refused.row.last_error == "the recipient refused the mail: too large");

    const auto later = answered(row_to_bob(), {peer::notify_status::try_later, {}, ""});
    CHECK(later.row.state == outbox_state::queued);
    CHECK(later.row.attempts == 1);
    CHECK_FALSE(later.refresh_record);

    const auto unknown = answered(row_to_bob(), {peer::notify_status::unknown_prekey, {}, ""});
    CHECK(unknown.row.state == outbox_state::queued);
    CHECK(unknown.row.next_attempt_at == start + 5 + 30000);
    CHECK(unknown.refresh_record);

    const auto late_answer = answered(stored.row, {peer::notify_status::refused, {}, ""});
    CHECK(late_answer.row.state == outbox_state::delivered);
}

TEST_CASE("behind its end an old mail is tried with the pauses of before") {
    auto row = row_to_bob();
    row.attempts = 3;
    row = attempt_failed(row, "no answer", start + 6 * day, 0);
    CHECK(row.state == outbox_state::queued);
    CHECK(row.next_attempt_at == start + 6 * day + 4 * minute);
    row = attempt_failed(row, "no answer", start + 5 * day - 1, 0);
    CHECK(row.next_attempt_at == start + 5 * day);
}

TEST_CASE("who learns of a mail at the last moment has a quarter of an hour to fetch it, once") {
    const auto late = start + 6 * day;
    auto row = answered(row_to_bob(), {peer::notify_status::fetching, {}, ""}, late).row;
    REQUIRE(row.state == outbox_state::notified);
    CHECK(next_judgement(row, late) == late + 15 * minute);
    CHECK(is_open(give_up_when_late(row, late + 15 * minute - 1)));
    row = answered(row, {peer::notify_status::fetching, {}, ""}, late + 14 * minute).row;   // asked again
    CHECK_FALSE(is_open(give_up_when_late(row, late + 15 * minute)));
    delivery_times quick;
    quick.fail_after = std::chrono::seconds(8);   // and never longer than the whole time it has
    row = answered(row_to_bob(), {peer::notify_status::fetching, {}, ""}, start + 10000).row;
    CHECK_FALSE(is_open(give_up_when_late(row, start + 18000, quick)));
}

TEST_CASE("a node that was away asks once more before it gives up") {
    const auto row = row_to_bob();
    const auto woke = start + 6 * day;
    CHECK(may_give_up(row, start, false, start + 5 * day));            // served all the time
    CHECK(may_give_up(row, start - 1, false, start + 5 * day));
    CHECK_FALSE(may_give_up(row, woke, false, woke));
    CHECK_FALSE(may_give_up(row, woke, true, woke + 28999));           // two attempts to reach her, and the network
    CHECK(may_give_up(row, woke, true, woke + 29000));
    CHECK_FALSE(may_give_up(row, woke, false, woke + 10 * minute - 1));
    CHECK(may_give_up(row, woke, false, woke + 10 * minute));          // for ever nothing hangs
    delivery_times slow;
    slow.reach = std::chrono::minutes(20);
    CHECK_FALSE(may_give_up(row, woke, false, woke + 30 * minute, slow));
    CHECK(may_give_up(row, woke, false, woke + 41 * minute, slow));
}

TEST_CASE("a clock that is put forward or back by more than an hour has jumped") {
    using namespace std::chrono;
    CHECK_FALSE(clock_jumped(hours(5), hours(5)));
    CHECK_FALSE(clock_jumped(hours(1), milliseconds(0)));
    CHECK(clock_jumped(hours(1) + milliseconds(1), milliseconds(0)));
    CHECK_FALSE(clock_jumped(-minutes(59), minutes(1)));
    CHECK(clock_jumped(-minutes(59), minutes(2)));
}

TEST_CASE("only a receipt for this very mail counts") {
    const auto row = row_to_bob();
    CHECK(check_receipt(row, me, blob, receipt_of_bob()));
    CHECK_FALSE(check_receipt(row, me, people::filled<crypto::blob_id>(1), receipt_of_bob()));
    CHECK_FALSE(check_receipt(row, people::bob().address(), blob, receipt_of_bob()));
    auto other = row;
    other.notification[0] ^= std::byte{1};
    CHECK_FALSE(check_receipt(other, me, blob, receipt_of_bob()));
    other = row;
    other.account = people::alice().address();
    CHECK(check_receipt(other, me, blob, receipt_of_bob()).error() == peer::errc::wrong_peer);
    auto forged = receipt_of_bob();
    forged.back() ^= std::byte{1};
    CHECK(check_receipt(row, me, blob, forged).error() == peer::errc::bad_signature);
    const auto outcome = answered(row, {peer::notify_status::stored, forged, ""});
    CHECK(outcome.row.state == outbox_state::queued);
    CHECK(outcome.row.attempts == 1);
    CHECK(outcome.row.receipt.empty());
}

TEST_CASE("a receipt after failure still says that it has arrived") {
    auto row = give_up_when_late(row_to_bob(), start + 6 * day);
    REQUIRE(row.state == outbox_state::failed);
    row = receipt_came(row, receipt_of_bob(), start + 7 * day);
    CHECK(row.state == outbox_state::delivered);
    CHECK(row.last_error.empty());
}

TEST_CASE("a held row waits until its moment, whatever happens, and has its five days from then") {
    storage::outbox_row row;
    row.submitted_at = row.next_attempt_at = 1000;
    row.hold_until = 1000 + std::chrono::milliseconds(std::chrono::days(30)).count();
    const auto released = row.hold_until;
    const auto whole_time = engine::delivery_times().fail_after.count();
    CHECK(engine::is_held(row, released - 1));
    CHECK_FALSE(engine::is_due(row, released - 1));
    CHECK(engine::attempt_failed(row, "not reachable", released - 1, 0).attempts == 0);
    CHECK(engine::is_open(engine::give_up_when_late(row, released - 1)));
    CHECK_FALSE(engine::is_held(row, released));
    CHECK(engine::is_due(row, released));
    CHECK(engine::begins_at(row) == released);
    CHECK(engine::is_open(engine::give_up_when_late(row, released + whole_time - 1)));
    CHECK_FALSE(engine::is_open(engine::give_up_when_late(row, released + whole_time)));
}

TEST_CASE("a row says that work is done for it, and when it is too much") {
    const auto working = work_asked_for(row_to_bob(), 8, start, 0.5);
    CHECK(working.state == storage::outbox_state::queued);
    CHECK(working.last_error ==
          "the recipient does not know you and asks strangers for some work first: this node is at it, for about 2 "
          "seconds");
    CHECK(working.next_attempt_at > start);
    const auto answered_so = answered(row_to_bob(), {peer::notify_status::work_needed, {}, "", 8}, start).row;
    CHECK(answered_so.last_error == working.last_error);
    CHECK(work_asked_for(row_to_bob(), 17, start, 0).last_error.find("more work than this node does") !=
          std::string::npos);
}

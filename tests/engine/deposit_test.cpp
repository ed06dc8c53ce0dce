// Mails at relays: where a walk goes, what is kept of it, when it is due.
#include "daemon/engine/deposit.hpp"
#include "daemon/engine/last_word.hpp"
#include "tests/engine/accounts.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;
using relay::deposit_over;
using relay::ending;
using relay::status;
using what = deposit_plan::what;

namespace {

deposit_over done(std::uint32_t seed_ttl = 1000, std::uint32_t item_ttl = 2000) {
    deposit_over o;
    o.how = ending::done;
    o.seeded = true;
    o.seed_ttl_s = seed_ttl;
    o.item_ttl_s = item_ttl;
    return o;
}
deposit_over refused(status why, bool seeded = false) {
    deposit_over o;
    o.how = ending::refused;
    o.why = {why, 0};
    o.seeded = seeded;
    return o;
}
bool is(const std::optional<deposit_plan::step>& s, what bring, bool at_ours, std::size_t place) {
    return s && s->bring == bring && s->at_ours == at_ours && s->place == place;
}

storage::outbox_row waiting_row() {
    storage::outbox_row row;
    row.id[0] = std::byte{1};
    row.submitted_at = 1000000;
    return row;
}
relay::slot_address address(std::uint8_t first) {
    relay::slot_address a;
    a.relay.data.fill(std::byte{first});
    a.slot.data.fill(std::byte{static_cast<std::uint8_t>(first + 1)});
    a.endpoints = {"192.0.2.1:41443"};
    return a;
}

}  // namespace

TEST_CASE("a deposit with room is one step", "[deposit]") {
    deposit_plan plan(1, 1);
    REQUIRE(is(plan.next(), what::all, false, 0));
    plan.answered(done(500, 300));
    CHECK_FALSE(plan.next());
    CHECK(plan.seeded());
    CHECK_FALSE(plan.seed_at_ours());
    CHECK(plan.ttl_s() == 300);
}

TEST_CASE("without room at hers the mail stays at ours and word of it goes to hers", "[deposit]") {
    for (const auto why : {status::full, status::relay_full, status::too_large, status::refused}) {
        deposit_plan plan(1, 2);
        REQUIRE(plan.next());
        plan.answered(refused(why));
        REQUIRE(is(plan.next(), what::seed, true, 0));
        plan.unreachable();                       // our first relay is away
        REQUIRE(is(plan.next(), what::seed, true, 1));
        plan.answered(done());
        REQUIRE(is(plan.next(), what::item, false, 0));
        plan.answered(done());
        CHECK(plan.seeded());
        CHECK(plan.seed_at_ours());
        CHECK(plan.ours() == 1);
    }
}

TEST_CASE("an item without room is tried at her next relay, the seed is not brought twice", "[deposit]") {
    deposit_plan plan(2, 1);
    plan.answered(refused(status::too_large));
    plan.answered(done());                        // the seed at ours
    REQUIRE(is(plan.next(), what::item, false, 0));
    plan.answered(refused(status::full));
    REQUIRE(is(plan.next(), what::item, false, 1));
    plan.answered(done());
    CHECK(plan.seeded());
    CHECK(plan.seed_at_ours());
    CHECK(plan.hers() == 1);
}

TEST_CASE("what cannot be left says why", "[deposit]") {
    CHECK(deposit_plan(0, 1).sentence().find("no relay") != std::string::npos);
    deposit_plan plan(1, 0);
    plan.answered(refused(status::full));
    CHECK_FALSE(plan.next());
    CHECK_FALSE(plan.seeded());
    CHECK(plan.sentence() == "the recipient's relay has no room left for this recipient");
    deposit_plan away(1, 1);
    away.unreachable();
    CHECK_FALSE(away.next());
    CHECK(away.sentence() == "the recipient's relay cannot be reached");
    deposit_plan both(1, 1);
    both.answered(refused(status::full));
    both.answered(refused(status::relay_full));
    CHECK_FALSE(both.next());
    CHECK(both.sentence() ==
          "the recipient's relay has no room left for this recipient; our own relay has no room left");
    deposit_plan closed(1, 1);
    closed.answered(refused(status::refused));
    closed.answered(refused(status::refused));
    while (closed.next()) closed.unreachable();
    CHECK(closed.sentence() == "the recipient's relay keeps no mail for the recipient any more; our own relay does not "
                               "serve this account; ask its owner for a link with an invite: peerpost relay link");
    // A slot that is gone takes no item either: nothing is gained by bringing the mail to ours.
    deposit_plan gone(1, 1);
    gone.answered(refused(status::no_slot));
    CHECK_FALSE(gone.next());
}

TEST_CASE("a walk that the relay found fetched is over", "[deposit]") {
    deposit_plan plan(1, 1);
    auto over = done();
    over.fetched = true;
    plan.answered(over);
    CHECK(plan.fetched());
}

TEST_CASE("what is kept with a row comes back", "[deposit]") {
    deposit_notes n;
    n.hers = deposit_place{address(3), relay::delivery_token{{}, 17, {}}};
    n.hers->token->serial.data.fill(std::byte{9});
    n.ours = deposit_place{address(5), std::nullopt, trace::fetched};
    n.item = bytes(relay::item_bytes, std::byte{7});
    n.item_left = n.seed_at_ours = true;
    n.look_at = 12345;
    n.lies_until = 23456;
    n.renew_at = 34567;
    n.attempts = 3;
    n.earlier = {{deposit_place{address(6), std::nullopt, trace::left}, false},
                 {deposit_place{address(7), std::nullopt, trace::taking}, true}};
    storage::outbox_row row;
    row.deposit = encode(n);
    CHECK(notes_of(row) == n);
    CHECK(n.seeded());
    // Cut at any byte, or longer: as if nothing had been tried, never something else.
    for (std::size_t cut = 0; cut < row.deposit.size(); ++cut) {
        storage::outbox_row torn;
        torn.deposit.assign(row.deposit.begin(), row.deposit.begin() + static_cast<std::ptrdiff_t>(cut));
        CHECK(notes_of(torn) == deposit_notes());
    }
    row.deposit.push_back(std::byte{0});
    CHECK(notes_of(row) == deposit_notes());
}

TEST_CASE("what was kept before there were earlier places is read", "[deposit]") {
    deposit_notes n;
    n.hers = deposit_place{address(3), std::nullopt, trace::left};
    n.item = bytes(relay::item_bytes, std::byte{7});
    storage::outbox_row row;
    row.deposit = encode(n);
    row.deposit.pop_back();                       // how many there are
    row.deposit.erase(row.deposit.begin() + 22, row.deposit.begin() + 30);   // when it is paid anew
    row.deposit.front() = std::byte{2};
    CHECK(notes_of(row) == n);
}

TEST_CASE("what may lie at a place is not forgotten when the walk goes on to another", "[deposit]") {
    deposit_notes n;
    walk_to(n, false, {address(1), std::nullopt});
    n.hers->lies = trace::left;
    walk_to(n, false, {address(2), std::nullopt});
    CHECK(n.hers->where == address(2));
    CHECK(n.hers->lies == trace::none);
    CHECK(places_of(n).size() == 2);
    CHECK(places_of(n)[1].place.lies == trace::left);
    walk_to(n, false, {address(3), std::nullopt});    // nothing lay at the second
    CHECK(places_of(n).size() == 2);
    learn_trace(n, address(1), trace::taking);
    walk_to(n, false, {address(1), std::nullopt});    // back at the first
    CHECK(places_of(n).size() == 1);
    CHECK(n.hers->lies == trace::taking);
    walk_to(n, true, {address(1), std::nullopt});     // ours, by another way of counting
    CHECK(n.ours->lies == trace::none);

    n.item_left = n.seed_at_hers = true;
    n.lies_until = 17;
    const auto anew = begun_anew(n);
    CHECK_FALSE(anew.seeded());
    CHECK(anew.item_may_lie);
    CHECK(anew.lies_until == 17);
    CHECK_FALSE(anew.hers);
    REQUIRE(places_of(anew).size() == 1);
    CHECK(places_of(anew).front().place.where == address(1));

    for (std::uint8_t i = 10; i < 30; ++i) {          // bounded: the oldest goes
        walk_to(n, false, {address(i), std::nullopt});
        n.hers->lies = trace::left;
    }
    CHECK(n.earlier.size() == earlier_places_max);
    CHECK(n.earlier.back().place.where == address(28));
}

TEST_CASE("a mail goes to a relay when its recipient was not reached in time", "[deposit]") {
    delivery_times times;
    times.reach = std::chrono::seconds(12);
    const auto row = waiting_row();
    CHECK_FALSE(deposit_is_due(row, 0, 1000000 + 11999, times));
    CHECK(deposit_is_due(row, 0, 1000000 + 12000, times));
    CHECK_FALSE(deposit_is_due(row, 1000000 + 5000, 1000000 + 12000, times));   // there was one
    auto held = row;
    held.hold_until = 9000000;
    CHECK_FALSE(deposit_is_due(held, 0, 1000000 + 12000, times));
    auto over = row;
    over.state = storage::outbox_state::delivered;
    CHECK_FALSE(deposit_is_due(over, 0, 1000000 + 12000, times));
    auto fetching = row;                          // she knows of it, and we may go before she has it
    fetching.state = storage::outbox_state::notified;
    CHECK(deposit_is_due(fetching, 0, 1000000 + 12000, times));
}

TEST_CASE("what waits at a relay is looked after in pauses that double, up to a day", "[deposit]") {
    const delivery_times times;
    constexpr unix_ms hour = 3600 * 1000, begun = 2000000, ttl_s = 14 * 86400;
    deposit_notes n;
    n.hers = deposit_place{address(3), std::nullopt};
    n.item = bytes(relay::item_bytes, std::byte{7});
    n.item_left = n.seed_at_hers = true;
    auto row = deposited(waiting_row(), n, ttl_s, begun, times);
    std::vector<unix_ms> hours;
    for (unix_ms now = notes_of(row).look_at; now < begun + 100 * hour; now = notes_of(row).look_at) {
        CHECK_FALSE(deposit_is_due(row, 0, now - 1, times));
        CHECK(deposit_is_due(row, 0, now, times));
        hours.push_back((now - begun) / hour);
        // The same once more: paid already, with less time left.
        const auto again = before_walk(notes_of(row), 99, now);
        CHECK(again == notes_of(row));
        row = deposited(row, again, static_cast<std::uint32_t>(ttl_s - (now - begun) / 1000), now, times);
        CHECK(row.state_since == begun);
        CHECK(row.left_at == begun);
        CHECK(notes_of(row).renew_at == begun + std::int64_t{ttl_s} * 750);
    }
    CHECK(hours == std::vector<unix_ms>{1, 2, 4, 8, 16, 32, 56, 80});
}

TEST_CASE("what is paid anew is sealed and paid once more, and not at every attempt", "[deposit]") {
    deposit_notes n;
    n.hers = deposit_place{address(3), std::nullopt, trace::left};
    n.item = bytes(relay::item_bytes, std::byte{7});
    const auto key = peer::prekey_id_of(n.item);
    CHECK(before_walk(n, key, 1000) == n);
    CHECK(before_walk(n, key + 1, 1000).item.empty());        // waits nowhere, and she has another key
    n.item_left = n.seed_at_hers = true;
    n.renew_at = 5000;
    CHECK(before_walk(n, key + 1, 4999) == n);                // what waits there she can open still
    CHECK(before_walk(n, key, 5000).item.empty());
    // That walk came nowhere: the next one goes on with what was paid.
    storage::outbox_row row = waiting_row();
    row.state = storage::outbox_state::seeded;
    auto failed = notes_of(deposit_failed(row, n, "x", 5000, 0));
    CHECK(before_walk(failed, key, failed.look_at) == failed);
}

TEST_CASE("she who fetched a mail and whose receipt does not come is asked for another", "[deposit]") {
    deposit_notes n;
    n.hers = deposit_place{address(3), std::nullopt, trace::left};
    n.item = bytes(relay::item_bytes, std::byte{7});
    n.item_left = n.seed_at_hers = n.item_may_lie = true;
    n.renew_at = 5000;
    const auto key = peer::prekey_id_of(n.item);
    CHECK(before_walk(n, key, 1000) == n);                    // it waits there still, or was not looked at yet
    for (const bool at_ours : {false, true}) {
        auto fetched = n;
        if (at_ours) {
            fetched.ours = deposit_place{address(9), std::nullopt, trace::fetched};
            fetched.seed_at_ours = !(fetched.seed_at_hers = false);
        } else {
            fetched.hers->lies = trace::fetched;
        }
        auto again = before_walk(fetched, key, 1000);
        CHECK(again.item.empty());                            // sealed and paid anew with this walk
        CHECK(again.seeded());
        CHECK(doubt_of(again, 1000) == doubt::fetched);       // and what is known is not forgotten over it
        again.item = fetched.item;
        CHECK(again == fetched);
    }
}

TEST_CASE("a mail that was submitted when the clock was ahead does not wait for that time", "[deposit]") {
    delivery_times times;
    times.reach = std::chrono::seconds(12);
    constexpr unix_ms year = 365ll * 86400 * 1000, begun = 1000000;
    auto row = waiting_row();
    row.submitted_at = row.state_since = begun + year;
    CHECK(began_at(row, begun) == begun);
    CHECK(began_at(row, begun + 2 * year) == begun + year);
    CHECK_FALSE(deposit_is_due(row, begun, begun + 11999, times));
    CHECK(deposit_is_due(row, begun, begun + 12000, times));
    CHECK(deposit_due_at(row, begun, begun + 5000, times) == begun + 12000);
    row.submitted_at = begun + 5000;              // by a clock that is right
    CHECK_FALSE(deposit_is_due(row, begun, begun + 16999, times));
    CHECK(deposit_due_at(row, begun, begun + 6000, times) == begun + 17000);
    row.hold_until = begun + year;                // and that one is to wait
    CHECK_FALSE(deposit_is_due(row, begun, begun + 20000, times));
}

TEST_CASE("what was submitted by a wrong clock keeps its age when that is put right", "[deposit]") {
    using std::chrono::hours, std::chrono::milliseconds;
    constexpr unix_ms from = 1000000, hour = 3600 * 1000;
    auto row = waiting_row();
    row.state_since = row.next_attempt_at = row.submitted_at = from + hour;
    row.hold_until = from + 3 * hour;
    const auto later = redated(row, from, from + 2 * hour, hours(240));
    REQUIRE(later);
    CHECK(later->submitted_at == from + 241 * hour);
    CHECK(later->state_since == from + 241 * hour);
    CHECK(later->next_attempt_at == from + 241 * hour);
    CHECK(later->hold_until == from + 243 * hour);   // for so long it was to be held
    CHECK(later->left_at == 0);
    const auto back = redated(*later, from + 240 * hour, from + 242 * hour, -hours(240));
    REQUIRE(back);
    CHECK(back->submitted_at == row.submitted_at);
    CHECK_FALSE(redated(row, from + hour + 1, from + 2 * hour, hours(240)));   // of another run: perhaps it was right
    CHECK_FALSE(redated(row, from, from + hour - 1, hours(240)));
    // What lies at a relay says when it was submitted: it is sealed anew.
    deposit_notes n;
    n.hers = deposit_place{address(3), std::nullopt, trace::left};
    n.item = bytes(relay::item_bytes, std::byte{7});
    n.item_left = n.seed_at_hers = true;
    n.look_at = n.renew_at = n.lies_until = from + 5 * hour;
    row.deposit = encode(n);
    row.left_at = from + hour;
    const auto at_relay = redated(row, from, from + 2 * hour, -hours(2));
    REQUIRE(at_relay);
    const auto notes = notes_of(*at_relay);
    CHECK(notes.item.empty());
    CHECK(notes.seeded());
    CHECK(notes.hers == n.hers);
    CHECK(notes.look_at == from - hour);
    CHECK((notes.renew_at == from + 3 * hour && notes.lies_until == from + 3 * hour));
    CHECK(at_relay->left_at == from - hour);
    row.state = storage::outbox_state::delivered;
    CHECK_FALSE(redated(row, from, from + 2 * hour, hours(240)));
}

TEST_CASE("a mail that its relay has no more is not said to wait there", "[deposit]") {
    auto row = waiting_row();
    deposit_notes n;
    n.hers = deposit_place{address(3), std::nullopt, trace::left};
    n.item = bytes(relay::item_bytes, std::byte{7});
    n.item_left = n.seed_at_hers = true;
    row = deposited(row, n, 1000, 2000000);
    const auto away = deposit_failed(row, notes_of(row), "cannot be reached", 3000000, 0);
    CHECK(away.state == storage::outbox_state::seeded);
    auto denied = notes_of(row);
    denied.item_left = denied.seed_at_hers = false;
    const auto lost = deposit_failed(row, denied, "has no slot", 3000000, 0);
    CHECK(lost.state == storage::outbox_state::queued);
    CHECK(lost.state_since == 3000000);
    CHECK(deposited(lost, n, 1000, 4000000).state == storage::outbox_state::seeded);
}

TEST_CASE("the place where a mail waits is looked at before others", "[deposit]") {
    deposit_notes n;
    n.hers = deposit_place{address(3), std::nullopt};
    const std::vector<relay::slot_address> hers{address(1), address(2), address(3)};
    CHECK(in_order(hers, n) == hers);
    n.item_left = n.seed_at_hers = true;
    CHECK(in_order(hers, n) == std::vector<relay::slot_address>{address(3), address(1), address(2)});
}

TEST_CASE("what waits at a relay is looked after when three quarters of its time are over", "[deposit]") {
    delivery_times times;
    deposit_notes n;
    n.hers = deposit_place{address(3), std::nullopt};
    n.item_left = n.seed_at_hers = true;
    const auto row = deposited(waiting_row(), n, 1000, 2000000);
    CHECK(row.state == storage::outbox_state::seeded);
    CHECK(row.state_since == 2000000);
    CHECK(is_open(row));
    CHECK_FALSE(deposit_is_due(row, 0, 2000000 + 749999, times));
    CHECK(deposit_is_due(row, 0, 2000000 + 750000, times));
}

TEST_CASE("a deposit that failed is tried again, later each time and never later than the longest pause", "[deposit]") {
    delivery_times times;
    times.retry_max = std::chrono::minutes(2);
    auto row = waiting_row();
    unix_ms now = 2000000, last = 0;
    for (int i = 0; i < 6; ++i) {
        row = deposit_failed(row, notes_of(row), "the recipient's relay cannot be reached", now, 0, times);
        CHECK(row.state == storage::outbox_state::queued);
        const auto wait = notes_of(row).look_at - now;
        CHECK(wait >= last);
        CHECK(wait <= 120000);
        last = wait;
    }
    CHECK(last == 120000);
    CHECK(row.last_error == "the recipient's relay cannot be reached");
    // Written when the clock was a year ahead: worth nothing.
    const auto ahead = deposit_failed(waiting_row(), {}, "x", 1000000 + 365ll * 86400 * 1000, 0, times);
    CHECK(deposit_is_due(ahead, 0, 1000000 + 20000, times));
}

TEST_CASE("what was refused at the old relay is brought to the new one at once", "[deposit]") {
    const unix_ms now = 5000000;
    auto row = waiting_row();
    CHECK_FALSE(way_came(row, address(9), now));                     // nothing was tried
    deposit_notes notes;
    walk_to(notes, false, {address(1), std::nullopt});
    for (int i = 0; i < 5; ++i) {
        row = deposit_failed(row, notes, "no", now, 0);
        notes = notes_of(row);
    }
    REQUIRE_FALSE(deposit_is_due(row, 0, now + 1000));
    const auto woken = way_came(row, address(9), now + 1000);
    REQUIRE(woken);
    CHECK(deposit_is_due(*woken, 0, now + 1000));
    CHECK(notes_of(*woken).attempts == 0);
    CHECK_FALSE(way_came(*woken, address(9), now + 1000));           // it is due already

    // What waits at the old one is looked after; what waits at this one is left alone.
    notes = notes_of(row);
    notes.item_left = notes.seed_at_hers = true;
    auto seeded = deposited(row, notes, 1000000, now);
    CHECK(seeded.state == storage::outbox_state::seeded);
    REQUIRE_FALSE(deposit_is_due(seeded, 0, now + 1000));
    REQUIRE(way_came(seeded, address(9), now + 1000));
    CHECK(deposit_is_due(*way_came(seeded, address(9), now + 1000), 0, now + 1000));
    CHECK_FALSE(way_came(seeded, address(1), now + 1000));
    row.state = storage::outbox_state::delivered;
    CHECK_FALSE(way_came(row, address(9), now + 1000));
}

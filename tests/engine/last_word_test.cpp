// A mail whose time is over while something of it lies at relays: what walks leave behind, when the last word is said,
// and which one.
#include "daemon/engine/delivery_report.hpp"
#include "daemon/engine/delivery_words.hpp"
#include "daemon/engine/last_word.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;
using relay::ending;

namespace {

constexpr unix_ms start = 1795330800000, hour = 60 * 60 * 1000, day = 24 * hour;
constexpr unix_ms over = start + 5 * day;

deposit_place at(std::uint8_t relay, trace lies) {
    deposit_place p;
    p.where.relay.data.fill(std::byte{relay});
    p.where.endpoints = {"192.0.2.1:41443"};
    p.lies = lies;
    return p;
}
deposit_notes left_at_hers(trace lies = trace::left, unix_ms until = over + 9 * day) {
    deposit_notes n;
    n.hers = at(1, lies);
    n.item_left = n.seed_at_hers = true;
    n.lies_until = until;
    return n;
}
storage::outbox_row seeded(const deposit_notes& n) {
    storage::outbox_row row;
    row.recipient = "bob@b.alt";
    row.state = storage::outbox_state::seeded;
    row.submitted_at = row.state_since = start;
    row.deposit = encode(n);
    return row;
}
std::optional<relay::deposit_over> ended(ending how, bool whole = false) {
    relay::deposit_over o;
    o.how = how;
    o.begun = o.seeded = whole;
    return o;
}
// What is known after a walk to her relay with seed and item; nothing was known before.
deposit_notes after(const std::optional<relay::deposit_over>& walk) {
    deposit_notes before, marked;
    before.hers = at(1, trace::none);
    marked.hers = at(1, trace::left);
    marked.item_may_lie = true;
    return walked(marked, before, false, true, walk);
}

}  // namespace

TEST_CASE("what may lie at a relay after a walk", "[last_word]") {
    CHECK(after(std::nullopt).hers->lies == trace::none);                  // no link: nothing can be there
    CHECK_FALSE(after(std::nullopt).item_may_lie);
    CHECK(after(ended(ending::refused)).hers->lies == trace::none);
    CHECK_FALSE(after(ended(ending::refused)).item_may_lie);
    CHECK(after(ended(ending::refused, true)).hers->lies == trace::left);  // the seed was taken, the item was not
    CHECK_FALSE(after(ended(ending::refused, true)).item_may_lie);
    auto in_the_middle = ended(ending::refused);                           // a full disk
    in_the_middle->begun = true;
    CHECK(after(in_the_middle).hers->lies == trace::left);
    CHECK(after(ended(ending::lost)).hers->lies == trace::left);           // nobody knows how far it came
    CHECK(after(ended(ending::lost)).item_may_lie);
    CHECK(after(ended(ending::done, true)).hers->lies == trace::left);
    auto fetched = ended(ending::done, true);
    fetched->fetched = true;
    CHECK(after(fetched).hers->lies == trace::fetched);
    // What an earlier walk may have left does not go away because a later one was told no.
    auto before = left_at_hers();
    CHECK(walked(before, before, false, true, ended(ending::refused)).hers->lies == trace::left);
}

TEST_CASE("the notes keep it, and those of before it was kept are read", "[last_word]") {
    auto n = left_at_hers(trace::taking);
    n.ours = at(2, trace::gone);
    n.item_may_lie = n.in_doubt = true;
    CHECK(notes_of(seeded(n)) == n);
    n.in_doubt = false;
    CHECK(notes_of(seeded(n)) == n);
    auto bad = seeded(n);
    for (std::size_t i = 0; i < bad.deposit.size(); ++i) {                 // no such trace: nothing is believed of it
        auto changed = bad;
        changed.deposit[i] = std::byte{99};
        const auto read = notes_of(changed);
        if (read.hers) CHECK(read.hers->lies <= trace::fetched);
    }
    // Version 1: without the times, without a trace behind each place, and without earlier places.
    deposit_notes old;
    old.hers = at(1, trace::none);
    old.item_left = old.seed_at_hers = true;
    old.look_at = 12345;
    auto raw = encode(old);
    raw[0] = std::byte{1};
    raw.erase(raw.begin() + 1 + 1 + 8 + 4, raw.begin() + 1 + 1 + 8 + 4 + 8 + 8);
    raw.resize(raw.size() - 2);
    storage::outbox_row row;
    row.deposit = raw;
    const auto read = notes_of(row);
    CHECK(read.look_at == 12345);
    REQUIRE(read.hers);
    CHECK(read.hers->where == old.hers->where);
    CHECK(read.hers->lies == trace::left);
}

TEST_CASE("nothing is in doubt that nobody can know of, or that is there no more", "[last_word]") {
    CHECK(doubt_of({}, over) == doubt::none);
    CHECK(doubt_of(left_at_hers(trace::gone), over) == doubt::none);
    CHECK(doubt_of(left_at_hers(trace::left), over) == doubt::waits);
    CHECK(doubt_of(left_at_hers(trace::taking), over) == doubt::waits);
    CHECK(doubt_of(left_at_hers(trace::fetched), over) == doubt::fetched);
    auto untold = left_at_hers();                                           // the seed lies there, word of it does not
    untold.item_left = false;
    CHECK(doubt_of(untold, over) == doubt::none);
    untold.item_may_lie = true;
    CHECK(doubt_of(untold, over) == doubt::waits);
    auto both = left_at_hers(trace::gone);
    both.ours = at(2, trace::left);
    CHECK(doubt_of(both, over) == doubt::waits);
    // A relay that went away for good has deleted it by the time it has announced.
    const auto short_time = left_at_hers(trace::left, over + hour);
    CHECK(doubt_of(short_time, over + 3 * hour) == doubt::waits);
    CHECK(doubt_of(short_time, over + 3 * hour + 1) == doubt::none);
    // that does not undo it
    CHECK(doubt_of(left_at_hers(trace::fetched, over + hour), over + 30 * day) == doubt::fetched);
}

TEST_CASE("the last word waits while something is undecided, and says what is known", "[last_word]") {
    CHECK(is_open(last_word(seeded(left_at_hers(trace::gone)), over - 1)));
    const auto taken_back = last_word(seeded(left_at_hers(trace::gone)), over);
    CHECK(taken_back.state == storage::outbox_state::failed);
    CHECK_FALSE(is_in_doubt(taken_back));

    for (const auto lies : {trace::left, trace::taking, trace::fetched}) {
        const auto row = seeded(left_at_hers(lies, over + 300 * day));
        CHECK(last_word(row, over).state == storage::outbox_state::seeded);
        CHECK(last_word(row, over + 10 * day - 1).state == storage::outbox_state::seeded);
        const auto given_up = last_word(row, over + 10 * day);
        REQUIRE(given_up.state == storage::outbox_state::failed);
        CHECK(is_in_doubt(given_up));
        CHECK(given_up.last_error.find(lies == trace::fetched ? "no receipt" : "until") != std::string::npos);

        delivery_report report;
        report.rows = {given_up};
        report.domain = "a.alt";
        report.address = "anna@a.alt";
        report.now = over + 10 * day;
        const std::string text(as_text(report_mail(report)));
        CHECK(text.find("was not delivered") == text.npos);                 // nobody knows that
        CHECK(text.find("Subject: Perhaps not delivered: your mail") != text.npos);
        CHECK(text.find("Action: failed") != text.npos);
        CHECK(text.find("Status: 5.4.7") != text.npos);
    }
    // The relay's time is over before ours: it cannot arrive any more, and that is said.
    const auto ran_out = last_word(seeded(left_at_hers(trace::left, over + day)), over + day + 2 * hour + 1);
    CHECK(ran_out.state == storage::outbox_state::failed);
    CHECK_FALSE(is_in_doubt(ran_out));
}

TEST_CASE("of a mail whose receipt is missing nobody says that it waits", "[last_word]") {
    const auto why = [](trace lies, unix_ms now) {
        std::string all;
        for (const auto& one : explained(seeded(left_at_hers(lies, over + 300 * day)), {}, now)) all += one + "\n";
        return all;
    };
    CHECK(why(trace::left, over - day).find("the mail waits") != std::string::npos);
    const auto fetched = why(trace::fetched, over - day);
    CHECK(fetched.find("the mail waited") != std::string::npos);
    CHECK(fetched.find("has taken it from there") != std::string::npos);
    CHECK(fetched.find("says that it failed") == std::string::npos);
    CHECK(fetched.find("by " + moment(over + 10 * day)) != std::string::npos);
    CHECK(why(trace::fetched, over).find("has taken it from there") != std::string::npos);
}

TEST_CASE("nothing is brought to a relay when the time for delivery is over", "[last_word]") {
    storage::outbox_row row;
    row.submitted_at = start;
    CHECK(deposit_is_due(row, 0, over - 1));
    CHECK_FALSE(deposit_is_due(row, 0, over));
}

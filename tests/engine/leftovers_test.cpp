// Which rows that are over have something at a relay that only their sender can take back.
#include "daemon/engine/leftovers.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;

namespace {

deposit_place at(trace lies) {
    deposit_place p;
    p.where.relay.data.fill(std::byte{7});
    p.where.endpoints = {"192.0.2.1:41443"};
    p.lies = lies;
    return p;
}
storage::outbox_row row_with(const deposit_notes& n, storage::outbox_state state = storage::outbox_state::delivered) {
    storage::outbox_row row;
    row.state = state;
    row.deposit = encode(n);
    return row;
}
deposit_notes broken_off(trace lies) {
    deposit_notes n;
    n.hers = at(lies);
    n.item_may_lie = true;
    return n;
}

}  // namespace

TEST_CASE("a walk that broke off leaves something behind", "[leftovers]") {
    CHECK(has_leftover(row_with(broken_off(trace::left))));
    CHECK(has_leftover(row_with(broken_off(trace::taking))));                    // its answer was lost
    CHECK(has_leftover(row_with(broken_off(trace::left), storage::outbox_state::failed)));
    for (const auto lies : {trace::none, trace::gone, trace::fetched})
        CHECK_FALSE(has_leftover(row_with(broken_off(lies))));
    CHECK_FALSE(has_leftover(storage::outbox_row()));
}

TEST_CASE("what the recipient is led to, or what is not over, is no leftover", "[leftovers]") {
    for (const auto state : {storage::outbox_state::queued, storage::outbox_state::seeded})
        CHECK_FALSE(has_leftover(row_with(broken_off(trace::left), state)));
    auto seeded = broken_off(trace::left);
    seeded.item_left = seeded.seed_at_hers = true;
    CHECK_FALSE(has_leftover(row_with(seeded)));
    seeded.ours = at(trace::left);                                               // and a piece elsewhere
    CHECK(has_leftover(row_with(seeded)));
    seeded.ours.reset();
    seeded.earlier = {{at(trace::gone), false}};
    CHECK_FALSE(has_leftover(row_with(seeded)));
    seeded.earlier.push_back({at(trace::left), false});
    CHECK(has_leftover(row_with(seeded)));
    auto in_doubt = broken_off(trace::left);
    in_doubt.in_doubt = true;
    CHECK_FALSE(has_leftover(row_with(in_doubt, storage::outbox_state::failed)));
}

TEST_CASE("the list of leftovers is kept, and is bounded", "[leftovers]") {
    std::vector<storage::id16> rows(leftovers_max + 1);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i][0] = std::byte(i >> 8);
        rows[i][1] = std::byte(i & 0xff);
    }
    const auto kept = decode_leftovers(encode_leftovers(rows));
    CHECK(kept == std::vector(rows.begin() + 1, rows.end()));                    // the oldest is left to the relay
    CHECK(decode_leftovers(encode_leftovers({})).empty());
    auto damaged = encode_leftovers(rows);
    damaged.pop_back();
    CHECK(decode_leftovers(damaged).empty());
}

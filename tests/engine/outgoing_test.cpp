#include "daemon/engine/outgoing.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;
using storage::outbox_state;

TEST_CASE("what is delivered at once is not in Outgoing, what waits is") {
    std::vector<storage::outbox_row> rows(2);
    CHECK_FALSE(belongs_in_outgoing(rows, 100));
    rows[1].attempts = 1;
    CHECK(belongs_in_outgoing(rows, 100));
    rows[1] = {};
    rows[1].hold_until = 101;
    CHECK(belongs_in_outgoing(rows, 100));
    CHECK_FALSE(belongs_in_outgoing(rows, 101));
    rows[0].state = outbox_state::notified;
    CHECK(belongs_in_outgoing(rows, 101));
}

TEST_CASE("the keyword is of the recipient who is furthest behind") {
    std::vector<storage::outbox_row> rows(2);
    const auto keyword = [&] { return outgoing_flags(rows, 100).keywords; };
    using words = std::vector<std::string>;
    CHECK(keyword() == words{"Queued"});
    rows[0].state = outbox_state::notified;
    CHECK(keyword() == words{"Queued"});
    rows[1].state = outbox_state::notified;
    CHECK(keyword() == words{"Notified"});
    rows[1].state = outbox_state::queued;
    rows[1].hold_until = 200;
    CHECK(keyword() == words{"Held"});
    CHECK(outgoing_flags(rows, 100).system == mail::seen);
}

TEST_CASE("only what has not gone out is cancelled") {
    storage::outbox_row row;
    const auto over = cancelled(row, 7);
    CHECK(over.state == outbox_state::failed);
    CHECK(over.state_since == 7);
    CHECK(over.last_error == cancelled_sentence);
    row.state = outbox_state::notified;
    CHECK(cancelled(row, 7).state == outbox_state::notified);
}

// When a mail that was announced and does not come is no longer waited for.
#include "daemon/engine/fetch_end.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;
using storage::inbound_stage;

namespace {

constexpr storage::unix_ms start = 1795330800000, second = 1000, hour = 3600 * second, day = 24 * hour;

storage::inbound_row wanted() {
    storage::inbound_row row;
    row.received_at = start;
    return row;
}

}  // namespace

TEST_CASE("what the sender has given up is forgotten at once", "[fetch_end]") {
    CHECK(after_failure(wanted(), fetch_failure::withdrawn, 1, start).what == fetch_verdict::forget);
    auto stored = wanted();
    stored.stage = inbound_stage::stored;          // it came another way meanwhile: her receipt is still to go
    CHECK(after_failure(stored, fetch_failure::withdrawn, 1, start).what == fetch_verdict::again);
}

TEST_CASE("a mail with somebody else's From is refused at once, and its sender told", "[fetch_end]") {
    const auto end = after_failure(wanted(), fetch_failure::forged, 1, start);
    REQUIRE(end.what == fetch_verdict::refuse);
    CHECK(end.row.reason == forged_author_sentence);
}

TEST_CASE("what is not there is asked for twenty times, for an hour at least, and then refused", "[fetch_end]") {
    auto row = wanted();
    for (std::uint32_t i = 1; i < gone_answers_max; ++i) {
        auto end = after_failure(row, fetch_failure::gone, i, start + 2 * hour);
        CHECK(end.what == fetch_verdict::again);
        row = end.row;
        CHECK(row.attempts == i);                  // kept over a restart
    }
    CHECK(after_failure(row, fetch_failure::not_reached, 30, start + 2 * hour).what == fetch_verdict::again);
    CHECK(after_failure(row, fetch_failure::gone, 1, start + hour - 1).what == fetch_verdict::again);
    const auto end = after_failure(row, fetch_failure::gone, 1, start + hour);
    REQUIRE(end.what == fetch_verdict::refuse);
    CHECK(end.row.stage == inbound_stage::refused);
    CHECK(end.row.reason.find("no longer on the sender's drive") != std::string::npos);
}

TEST_CASE("what cannot be reached for as long as a sender waits is refused, after some tries since the start",
          "[fetch_end]") {
    CHECK(after_failure(wanted(), fetch_failure::not_reached, 100, start + 15 * day - 1).what == fetch_verdict::again);
    // was off
    CHECK(after_failure(wanted(), fetch_failure::not_reached, 5, start + 30 * day).what == fetch_verdict::again);
    const auto end = after_failure(wanted(), fetch_failure::not_reached, 6, start + 15 * day);
    REQUIRE(end.what == fetch_verdict::refuse);
    CHECK(end.row.reason.find("15 days") != std::string::npos);
}

TEST_CASE("a mail is taken back when no relay has it and one of them knows that it was deleted", "[fetch_end]") {
    using enum seed_fate;
    CHECK(asked_at_relays({deleted}, false) == fetch_failure::withdrawn);
    CHECK(asked_at_relays({not_there, deleted, not_there}, false) == fetch_failure::withdrawn);
    CHECK(asked_at_relays({deleted, not_there}, true) == fetch_failure::not_reached);    // she says so herself
    CHECK(asked_at_relays({not_there, not_there}, false) == fetch_failure::not_reached);   // it may come again
    CHECK(asked_at_relays({deleted, no_answer}, false) == fetch_failure::not_reached);
    CHECK(asked_at_relays({deleted, there}, false) == fetch_failure::not_reached);
    CHECK(asked_at_relays({}, false) == fetch_failure::not_reached);
}

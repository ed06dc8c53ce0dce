// A relay's circuits: who gets a call, which secrets open it, what is refused.
#include "daemon/engine/circuit_table.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;
using namespace std::chrono_literals;
using relay::circuit_side;
using relay::status;

namespace {

const wire::time_point start{1000s};

relay::circuit_tag tag(int n) {
    relay::circuit_tag t;
    t.data.fill(static_cast<std::byte>(n));
    return t;
}
circuit_table::dice dice(int n) {
    circuit_table::dice d;
    d.circuit.fill(static_cast<std::byte>(n));
    d.caller_secret.fill(static_cast<std::byte>(n + 100));
    d.target_secret.fill(static_cast<std::byte>(n + 200));
    return d;
}
circuit_rules rules() {
    circuit_rules r;
    r.circuits_max = 20;
    return r;
}
template <class Reply>
std::optional<status> why_not(const Reply& r) {
    const auto* no = std::get_if<relay::refusal>(&r);
    return no ? std::optional(no->why) : std::nullopt;
}
constexpr circuit_table::link_id hers = 7, newer = 8, caller = 9;

}  // namespace

TEST_CASE("a call goes to the newest reservation, and both secrets together open the circuit", "[circuits]") {
    circuit_table t(rules());
    auto now = start;
    CHECK(why_not(t.connect(tag(1), caller, "", dice(1), now)) == status::not_found);
    const auto reserved = t.reserve(tag(1), hers, 9999999, "5.6.7.8:9", now);
    REQUIRE(std::holds_alternative<relay::reserve_reply>(reserved));
    CHECK(std::get<relay::reserve_reply>(reserved).ttl_s == relay::reservation_s_max);
    CHECK(std::get<relay::reserve_reply>(reserved).observed == "5.6.7.8:9");
    REQUIRE_FALSE(why_not(t.reserve(tag(1), newer, 60, "", now)));
    CHECK(why_not(t.connect(tag(1), newer, "", dice(1), now)) == status::not_found);         // itself
    const auto call = t.connect(tag(1), caller, "1.2.3.4:5", dice(1), now);
    REQUIRE(std::holds_alternative<circuit_table::call>(call));
    const auto& asked = std::get<circuit_table::call>(call);
    CHECK(asked.target == newer);
    CHECK(asked.message.caller == "1.2.3.4:5");
    CHECK(asked.message.secret == dice(1).target_secret);
    const auto told = t.answered(dice(1).circuit, true, now);
    REQUIRE(std::holds_alternative<relay::connect_reply>(told));
    CHECK(std::get<relay::connect_reply>(told).secret == dice(1).caller_secret);
    CHECK(std::get<relay::connect_reply>(told).bytes_max == relay::circuit_bytes_max);

    using join = circuit_table::join_verdict;
    const auto c = dice(1).circuit;
    CHECK(t.join({c, circuit_side::target, dice(1).caller_secret}, now) == join::nobody);    // the other's secret
    CHECK(t.join({dice(2).circuit, circuit_side::target, dice(1).target_secret}, now) == join::nobody);
    CHECK(t.join({c, circuit_side::target, dice(1).target_secret}, now) == join::first);
    CHECK(t.join({c, circuit_side::target, dice(1).target_secret}, now) == join::nobody);    // once
    CHECK(t.join_deadline(c) == now + relay::join_timeout);
    CHECK(t.join({c, circuit_side::caller, dice(1).caller_secret}, now) == join::both);
    CHECK_FALSE(t.join_deadline(c).has_value());
    t.expire(now + 1h);
    CHECK(t.circuits() == 1);                // an open one is the meter's matter
    t.ended(c);
    CHECK(t.circuits() == 0);
}

TEST_CASE("the target may be there before its answer", "[circuits]") {
    circuit_table t(rules());
    REQUIRE_FALSE(why_not(t.reserve(tag(1), hers, 60, "", start)));
    REQUIRE_FALSE(why_not(t.connect(tag(1), caller, "", dice(1), start)));
    CHECK(t.join({dice(1).circuit, circuit_side::target, dice(1).target_secret}, start) ==
          circuit_table::join_verdict::first);
    REQUIRE_FALSE(why_not(t.answered(dice(1).circuit, true, start)));
    CHECK(t.join({dice(1).circuit, circuit_side::caller, dice(1).caller_secret}, start) ==
          circuit_table::join_verdict::both);
}

TEST_CASE("times of reservations and calls", "[circuits]") {
    circuit_table t(rules());
    REQUIRE_FALSE(why_not(t.reserve(tag(1), hers, 60, "", start)));
    CHECK(why_not(t.connect(tag(1), caller, "", dice(1), start + 60s)) == status::not_found);
    REQUIRE_FALSE(why_not(t.reserve(tag(1), hers, 3600, "", start)));
    REQUIRE_FALSE(why_not(t.connect(tag(1), caller, "", dice(1), start)));
    CHECK(why_not(t.answered(dice(1).circuit, false, start)) == status::refused);
    CHECK(t.circuits() == 0);
    REQUIRE_FALSE(why_not(t.connect(tag(1), caller, "", dice(2), start)));
    t.expire(start + 10s);
    CHECK(why_not(t.answered(dice(2).circuit, true, start + 10s)) == status::not_found);
    REQUIRE_FALSE(why_not(t.connect(tag(1), caller, "", dice(3), start)));
    REQUIRE_FALSE(why_not(t.answered(dice(3).circuit, true, start)));
    CHECK(t.join({dice(3).circuit, circuit_side::caller, dice(3).caller_secret}, start + 10s) ==
          circuit_table::join_verdict::nobody);
    t.link_gone(hers);
    CHECK(why_not(t.connect(tag(1), caller, "", dice(4), start + 20s)) == status::not_found);
}

TEST_CASE("limits: of a caller, of a target, of all, and none served at all", "[circuits]") {
    circuit_table t(rules());
    for (int i = 1; i <= 4; ++i) REQUIRE_FALSE(why_not(t.reserve(tag(i), hers, 60, "", start)));
    for (int i = 0; i < 8; ++i) CHECK_FALSE(why_not(t.connect(tag(1 + i % 2), caller, "", dice(i), start)));
    // the caller has 8
    CHECK(why_not(t.connect(tag(3), caller, "", dice(50), start)) == status::busy);
    for (circuit_table::link_id other = 20; other < 24; ++other)
        CHECK_FALSE(why_not(t.connect(tag(1), other, "", dice(static_cast<int>(other)), start)));
    // the target has 8
    CHECK(why_not(t.connect(tag(1), 30, "", dice(51), start)) == status::busy);
    for (circuit_table::link_id other = 40; other < 48; ++other)
        CHECK_FALSE(why_not(t.connect(tag(3), other, "", dice(static_cast<int>(other)), start)));
    CHECK(t.circuits() == 20);
    // all there are
    CHECK(why_not(t.connect(tag(4), 60, "", dice(52), start)) == status::busy);
    circuit_rules none;
    circuit_table off(none);
    CHECK(why_not(off.reserve(tag(1), hers, 60, "", start)) == status::refused);
    CHECK(why_not(off.connect(tag(1), caller, "", dice(1), start)) == status::refused);
    auto few = rules();
    few.reservations_max = 1;
    circuit_table small(few);
    REQUIRE_FALSE(why_not(small.reserve(tag(1), hers, 60, "", start)));
    CHECK(why_not(small.reserve(tag(2), newer, 60, "", start)) == status::busy);
    CHECK_FALSE(why_not(small.reserve(tag(1), newer, 60, "", start)));
}

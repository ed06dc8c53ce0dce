#include "daemon/engine/slot_grace.hpp"

#include <catch2/catch.hpp>

using namespace pp::engine;
using namespace std::chrono_literals;

TEST_CASE("idle slots are closed an hour after the start, and after the clock was set") {
    constexpr std::int64_t year_s = 365 * 86400;
    slot_grace grace;
    std::int64_t wall = 1767225600;
    std::chrono::steady_clock::time_point now{};
    bool over = false;
    const auto minutes = [&](int n) {
        for (; n > 0; --n) over = grace.is_over(wall += 60, now += 1min);
        return over;
    };
    CHECK_FALSE(minutes(60));
    CHECK(minutes(1));
    CHECK(minutes(100));
    for (const auto set : {10 * year_s, -10 * year_s, std::int64_t{3600}}) {
        wall += set;
        CHECK_FALSE(minutes(60));
        CHECK(minutes(1));
    }
    // A clock that is corrected by little has not been set.
    wall += 120;
    CHECK(minutes(1));
    // Nor did anybody have time to come while the machine slept.
    wall += year_s;
    CHECK_FALSE(minutes(1));
}

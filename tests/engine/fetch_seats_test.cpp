#include "daemon/engine/fetch_seats.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>
#include <vector>

using namespace pp::engine;

TEST_CASE("never more are fetched at a time than there are seats", "[fetch]") {
    const auto everybody = std::make_shared<fetch_seats::all>(fetch_seats::all{256, 0});
    fetch_seats small(32, everybody), large(4, everybody);
    std::vector<fetch_seats::seat> taken;
    for (int i = 0; i < 100; ++i)
        if (auto one = small.take()) taken.push_back(std::move(*one));
    CHECK(taken.size() == 32);
    CHECK(small.taken() == 32);
    CHECK(large.take().has_value());   // small mails do not keep large ones out
    CHECK(everybody->taken == 32);
    taken.pop_back();
    CHECK(small.take().has_value());
}

TEST_CASE("when many are fetched in all, a peer still gets its first seat and no second", "[fetch]") {
    const auto everybody = std::make_shared<fetch_seats::all>(fetch_seats::all{3, 0});
    fetch_seats one(32, everybody), other(32, everybody);
    std::vector<fetch_seats::seat> taken;
    while (auto seat = one.take()) taken.push_back(std::move(*seat));
    CHECK(taken.size() == 3);
    const auto first = other.take();
    CHECK(first.has_value());
    CHECK_FALSE(other.take().has_value());
    taken.clear();
    CHECK(other.take().has_value());
}

TEST_CASE("a seat is free again however the fetch ends, and once only", "[fetch]") {
    const auto everybody = std::make_shared<fetch_seats::all>(fetch_seats::all{256, 0});
    fetch_seats lane(2, everybody);
    for (int i = 0; i < 100; ++i) {
        try {
            auto seat = lane.take();
            REQUIRE(seat.has_value());
            const auto moved = std::move(*seat);   // as into the coroutine that fetches
            CHECK(lane.taken() == 1);
            if (i % 2 == 0) throw std::runtime_error("the fetch ended in the middle");
        } catch (const std::runtime_error&) {
        }
        CHECK(lane.taken() == 0);
        CHECK(everybody->taken == 0);
    }
}

TEST_CASE("a seat may outlive the lane it is of", "[fetch]") {
    const auto everybody = std::make_shared<fetch_seats::all>(fetch_seats::all{256, 0});
    auto lane = std::make_unique<fetch_seats>(1, everybody);
    auto seat = lane->take();
    lane.reset();
    CHECK(everybody->taken == 1);
    seat.reset();
    CHECK(everybody->taken == 0);
}

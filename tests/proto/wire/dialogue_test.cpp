// The frame of every machine: when time moves it.
#include "proto/wire/dialogue.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <variant>

using namespace pp;
using namespace std::chrono_literals;

namespace {

struct nothing_asked {
    using answer_type = int;
};

// Says a good deal when it hears something, and as much again with the second word, while which it listens on; ends
// with the third, or when nothing comes for a minute.
class talker : public wire::dialogue<std::variant<nothing_asked>, std::variant<int>> {
protected:
    wire::task<> converse() override {
        set_deadline(now() + 60s);
        const auto first = co_await more_input();
        if (first == wire::woken::timeout) co_return;
        input().consume(input().size());
        send(std::string(wire::output_high_water_bytes, 'x'));
        co_await drained();
        set_deadline(now() + 60s);
        (void)co_await more_input();
        input().consume(input().size());
        send(std::string(wire::output_high_water_bytes, 'y'));
        (void)co_await more_input();
        send("the end");
    }
};

bytes_view as(std::string_view text) { return as_bytes(text); }

}  // namespace

TEST_CASE("the deadline counts only while a machine waits for bytes", "[wire][dialogue]") {
    const auto start = wire::time_point(100s);
    talker t;
    t.tick(start);
    CHECK_FALSE(t.next_event());
    REQUIRE(t.deadline());
    CHECK(*t.deadline() == start + 60s);

    t.received(as("a"));
    t.tick(start + 61s);
    CHECK_FALSE(t.next_event());
    CHECK_FALSE(t.wants_input());   // it waits for its client to read
    CHECK_FALSE(t.deadline());      // which time does not change

    (void)t.take_output();
    CHECK_FALSE(t.next_event());
    t.received(as("b"));
    CHECK_FALSE(t.next_event());
    CHECK(t.wants_input());
    CHECK_FALSE(t.deadline());      // not before there is room for what it would say
    (void)t.take_output();
    CHECK(t.deadline());

    t.received(as("c"));
    CHECK_FALSE(t.next_event());
    CHECK_FALSE(t.finished());      // its last word is still to be sent
    CHECK_FALSE(t.deadline());
    (void)t.take_output();
    CHECK(t.finished());
}

TEST_CASE("a machine that waits for bytes wakes up at its deadline", "[wire][dialogue]") {
    const auto start = wire::time_point(100s);
    talker t;
    t.tick(start);
    CHECK_FALSE(t.next_event());
    t.tick(start + 60s);
    CHECK_FALSE(t.next_event());
    CHECK(t.finished());
    CHECK_FALSE(t.deadline());
}

// Hole punching: its bytes, the rounds of who begins, the times of one burst.
#include "proto/punch/burst.hpp"
#include "proto/punch/initiator.hpp"
#include "tests/proto/specification.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::punch;
using namespace std::chrono_literals;

namespace {

const wire::time_point start{1000s};
const offer hers{{{candidate_kind::hole, "5.6.7.8:40001"}, {candidate_kind::listener, "[2001:db8::7]:41443"}}};

// What the machine asks, as words.
std::string name(const std::optional<event>& e) {
    if (!e) return "-";
    if (std::holds_alternative<candidates_wanted>(*e)) return "candidates";
    if (std::holds_alternative<ask_peer>(*e)) return "ask " + crypto::hex(std::get<ask_peer>(*e).message);
    return "go";
}

// One whole round beginning with the question for candidates; the way there and back takes 120 ms.
go_and_dial round_of(initiator& m, wire::time_point& now, bool direct) {
    own_candidates mine{{{candidate_kind::hole, "1.2.3.4:40000"}}};
    m.answer(std::move(mine));
    const auto asked = m.next_event();
    REQUIRE(name(asked) == "ask 0101010d312e322e332e343a3430303030");
    now += 120ms;
    m.tick(now);
    peer_answer answer{encode(message(hers))};
    m.answer(std::move(answer));
    auto went = m.next_event();
    REQUIRE(name(went) == "go");
    auto out = std::get<go_and_dial>(std::move(*went));
    now += 6s;
    m.tick(now);
    m.answer(outcome{direct});
    return out;
}

}  // namespace

TEST_CASE("punch/1 keeps its bytes", "[punch][golden]") {
    const auto wire = encode(message(hers));
    const auto written = test::blocks_of_specification(PEERPOST_SOURCE_DIR "/proto/punch/SPEC.md");
    CHECK(written.size() == 2);
    CHECK(crypto::hex(wire) == written.at("punch-offer"));
    const auto back = decode(wire);
    REQUIRE(back.has_value());
    CHECK(*back == message(hers));
    CHECK(crypto::hex(encode(message(go{}))) == written.at("punch-go"));
    for (std::size_t cut = 0; cut < wire.size(); ++cut) CHECK_FALSE(decode(bytes_view(wire).first(cut)).has_value());
    for (const char* bad : {"", "00", "0200", "010000", "0101", "0101020178", "0109", "03", "01010103ff0000"}) {
        INFO(bad);
        CHECK_FALSE(decode(*crypto::from_hex(bad)).has_value());
    }
    offer many;
    many.candidates.assign(candidates_max + 3, candidate{candidate_kind::hole, std::string(300, '1')});
    const auto cut = decode(encode(message(many)));
    REQUIRE(cut.has_value());
    CHECK(std::get<offer>(*cut).candidates.size() == candidates_max);
    CHECK(encode(message(many)).size() <= message_bytes_max);
}

TEST_CASE("who begins asks, says GO and dials when GO arrives; a direct link ends it", "[punch]") {
    initiator m;
    auto now = start;
    m.tick(now);
    REQUIRE(name(m.next_event()) == "candidates");
    const auto went = round_of(m, now, true);
    CHECK(crypto::hex(went.message) == "02");
    CHECK(went.theirs == hers.candidates);
    CHECK(went.wait == 60ms);
    CHECK(name(m.next_event()) == "-");
    CHECK(m.finished());
}

TEST_CASE("rounds come at 0, 2 and 10 seconds, after 5 and 30 minutes and 2 hours, then when an address changes",
          "[punch]") {
    initiator m;
    auto now = start;
    m.tick(now);
    std::vector<std::chrono::milliseconds> begun;
    for (int i = 0; i < 6; ++i) {
        auto asked = m.next_event();
        if (!asked) {
            REQUIRE(m.deadline().has_value());
            now = std::max(now, *m.deadline());
            m.tick(now);
            asked = m.next_event();
        }
        REQUIRE(name(asked) == "candidates");
        begun.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - start));
        round_of(m, now, false);
    }
    // The second is due while the first is under way (6 s of dialling): it follows at once.
    CHECK(begun == std::vector<std::chrono::milliseconds>{0ms, 6120ms, 12240ms, 5min, 30min, 2h});
    CHECK(name(m.next_event()) == "-");
    CHECK_FALSE(m.deadline().has_value());
    m.news();
    REQUIRE(name(m.next_event()) == "candidates");
    round_of(m, now, false);
    CHECK(name(m.next_event()) == "-");
    m.input_ended();
    CHECK(name(m.next_event()) == "-");
    CHECK(m.finished());
}

TEST_CASE("a peer that does not answer, or answers nonsense, is asked again in the next round", "[punch]") {
    const auto reply = GENERATE(std::optional<bytes>(), std::optional<bytes>(bytes()),
                                std::optional<bytes>(bytes{std::byte{1}, std::byte{0}}),
                                std::optional<bytes>(bytes{std::byte{2}}), std::optional<bytes>(bytes(2000)));
    initiator m;
    auto now = start;
    m.tick(now);
    REQUIRE(name(m.next_event()) == "candidates");
    m.answer(own_candidates{});
    REQUIRE(name(m.next_event()) == "ask 0100");
    m.answer(peer_answer{reply});
    CHECK(name(m.next_event()) == "-");
    CHECK(m.deadline() == start + 2s);
}

TEST_CASE("a slow way is waited for so long and no longer", "[punch]") {
    initiator m;
    m.tick(start);
    REQUIRE(name(m.next_event()) == "candidates");
    m.answer(own_candidates{});
    REQUIRE(m.next_event().has_value());
    m.tick(start + 1min);
    m.answer(peer_answer{encode(message(hers))});
    const auto went = m.next_event();
    REQUIRE(name(went) == "go");
    CHECK(std::get<go_and_dial>(*went).wait == wait_max);
}

TEST_CASE("one burst dials each 100 ms while it is refused, waits 3.5 s where nobody answers, and is over after 6 s",
          "[punch]") {
    auto now = start;
    burst b(now);
    SECTION("refused") {
        unsigned n = 0;
        while (const auto next = b.next()) {
            now = *next;
            CHECK(b.dialling(now) <= start + burst_limit);
            b.failed(now, true);
            ++n;
        }
        CHECK(n == 60);
        CHECK(now == start + 5900ms);
    }
    SECTION("unanswered") {
        CHECK(b.dialling(now) == start + 3500ms);
        now += 3500ms;
        b.failed(now, false);
        CHECK(b.next() == now);
        CHECK(b.dialling(now) == start + 6s);
        now += 2500ms;
        b.failed(now, false);
        CHECK_FALSE(b.next().has_value());
    }
}

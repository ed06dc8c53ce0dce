// Port mapping: bytes of NAT-PMP (RFC 6886) and PCP (RFC 6887), and the client against gateways good and bad.
#include "proto/portmap/client.hpp"
#include "proto/portmap/nat_pmp.hpp"
#include "proto/portmap/pcp.hpp"
#include "tests/proto/portmap/gateway.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::portmap;
using namespace std::chrono_literals;

namespace {

const time_point start{1000s};
const ipv4 own{192, 168, 1, 7}, outside{5, 6, 7, 8};

client_options options() {
    client_options o;
    o.own_address = own;
    o.internal_port = 41443;
    for (std::size_t i = 0; i < o.n.size(); ++i) o.n[i] = static_cast<std::byte>(0xa0 + i);
    return o;
}

// Client and gateway until the client has news or the time is over.
std::optional<event> run(client& c, gateway& g, time_point& now, std::chrono::milliseconds longest) {
    const auto end = now + longest;
    for (;;) {
        while (const auto asked = c.next_datagram())
            for (const auto& told : g.asked(*asked)) c.received(told, now);
        if (auto e = c.next_event()) return e;
        if (!c.deadline() || *c.deadline() > end) {
            now = end;
            return std::nullopt;
        }
        now = std::max(now, *c.deadline());
        c.tick(now);
    }
}

}  // namespace

TEST_CASE("NAT-PMP's bytes", "[portmap][golden]") {
    CHECK(crypto::hex(nat_pmp::address_request()) == "0000");
    CHECK(crypto::hex(nat_pmp::mapping_request(transport::tcp, 41443, 41443, 3600)) == "00020000a1e3a1e300000e10");
    CHECK(crypto::hex(nat_pmp::mapping_request(transport::udp, 41443, 41443, 0)) == "00010000a1e3000000000000");
    const auto address = nat_pmp::decode(*crypto::from_hex("008000000000007b05060708"));
    REQUIRE(address.has_value());
    CHECK(*address == nat_pmp::answer(nat_pmp::address_answer{123, outside}));
    const auto mapping = nat_pmp::decode(*crypto::from_hex("008200000000007ba1e3a1e400000e10"));
    REQUIRE(mapping.has_value());
    CHECK(*mapping == nat_pmp::answer(nat_pmp::mapping_answer{transport::tcp, 123, 41443, 41444, 3600}));
    const auto no = nat_pmp::decode(*crypto::from_hex("008200020000007b"));
    REQUIRE(no.has_value());
    CHECK(*no == nat_pmp::answer(nat_pmp::refusal{2, 2}));
    for (const char* bad : {"", "00", "0002", "018200000000007ba1e3a1e400000e10", "000200000000007ba1e3a1e400000e10",
                            "008200000000007ba1e3a1e400000e", "008000000000007b050607", "008300000000007b"}) {
        INFO(bad);
        CHECK_FALSE(nat_pmp::decode(*crypto::from_hex(bad)).has_value());
    }
}

TEST_CASE("PCP's bytes", "[portmap][golden]") {
    const auto request = pcp::map_request(own, options().n, transport::tcp, 41443, 41443, 3600);
    CHECK(crypto::hex(request) == "0201000000000e10"
                                  "00000000000000000000ffffc0a80107"
                                  "a0a1a2a3a4a5a6a7a8a9aaab" "06000000" "a1e3a1e3"
                                  "00000000000000000000ffff00000000");
    const std::string head = "0281000000000e100000007b000000000000000000000000";
    const auto answer = pcp::decode(*crypto::from_hex(head + "a0a1a2a3a4a5a6a7a8a9aaab06000000a1e3a1e4"
                                                             "00000000000000000000ffff05060708"));
    REQUIRE(answer.has_value());
    CHECK(answer->result == 0);
    CHECK(answer->lease_s == 3600);
    CHECK(answer->epoch_s == 123);
    CHECK(answer->n == options().n);
    CHECK(answer->external_port == 41444);
    CHECK(answer->external == outside);
    const auto no = pcp::decode(*crypto::from_hex("0281000200000e100000007b000000000000000000000000"));
    REQUIRE(no.has_value());
    CHECK(no->result == 2);
    CHECK_FALSE(pcp::decode(*crypto::from_hex(head)).has_value());                 // success without a mapping
    CHECK_FALSE(pcp::decode(*crypto::from_hex("0201" + head.substr(4))).has_value());   // a request
    CHECK_FALSE(pcp::decode(bytes(1101)).has_value());
}

TEST_CASE("a gateway with PCP maps at the first question, is asked again at half of the lease, and loses the mapping "
          "at the end",
          "[portmap]") {
    gateway g;
    auto now = start;
    client c(options(), now);
    const auto got = run(c, g, now, 1s);
    REQUIRE(got.has_value());
    CHECK(*got == event(mapped{{outside, 41443, 3600}, method::pcp}));
    CHECK(g.questions == 1);
    CHECK(c.deadline() == start + 1800s);
    CHECK_FALSE(run(c, g, now, 2h).has_value());     // nothing new: the same mapping
    CHECK(g.questions == 1 + 4);
    g.external_port = 50000;                         // begun anew: another port
    const auto other = run(c, g, now, 1h);
    REQUIRE(other.has_value());
    CHECK(*other == event(mapped{{outside, 50000, 3600}, method::pcp}));
    c.stop();
    while (const auto last = c.next_datagram()) g.asked(*last);
    CHECK(g.taken_away == 1);
    CHECK_FALSE(c.deadline().has_value());
}

TEST_CASE("what was asked for and is not answered yet is taken away, too", "[portmap]") {
    gateway g;
    client asked(options(), start);
    while (const auto question = asked.next_datagram()) g.asked(*question);
    asked.stop();
    while (const auto last = asked.next_datagram()) g.asked(*last);
    CHECK(g.taken_away == 1);
    client not_sent(options(), start);
    not_sent.stop();
    CHECK_FALSE(not_sent.next_datagram().has_value());
}

TEST_CASE("an old gateway is asked by NAT-PMP", "[portmap]") {
    auto now = start;
    gateway g;
    SECTION("that says it knows no PCP") { g.kind = gateway::speaks::nat_pmp; }
    SECTION("that is silent to PCP") { g.kind = gateway::speaks::nat_pmp_silently; }
    client c(options(), now);
    const auto got = run(c, g, now, 10s);
    REQUIRE(got.has_value());
    CHECK(*got == event(mapped{{outside, 41443, 3600}, method::nat_pmp}));
    c.stop();
    while (const auto last = c.next_datagram()) g.asked(*last);
    CHECK(g.taken_away == 1);
}

TEST_CASE("a refusal of another port's question is not ours", "[portmap]") {
    auto now = start;
    gateway g;
    g.kind = gateway::speaks::nat_pmp;
    client c(options(), now);
    for (const auto& told : g.asked(*c.next_datagram())) c.received(told, now);      // PCP: unknown
    c.received(*crypto::from_hex("008100020000007b"), now);
    CHECK_FALSE(c.next_event().has_value());
    c.received(*crypto::from_hex("008200020000007b"), now);
    const auto e = c.next_event();
    REQUIRE(e.has_value());
    CHECK(std::holds_alternative<unmapped>(*e));
}

TEST_CASE("without a gateway there is one piece of news and a try each quarter of an hour", "[portmap]") {
    auto now = start;
    gateway g;
    g.kind = gateway::speaks::nothing;
    client c(options(), now);
    const auto got = run(c, g, now, 1min);
    REQUIRE(got.has_value());
    CHECK(std::holds_alternative<unmapped>(*got));
    const auto asked = g.questions;
    CHECK(asked == pcp_tries_max + 2 * nat_pmp_tries_max);
    CHECK_FALSE(run(c, g, now, 14min).has_value());
    CHECK(g.questions == asked);
    g.kind = gateway::speaks::pcp;
    const auto later = run(c, g, now, 2min);
    REQUIRE(later.has_value());
    CHECK(std::holds_alternative<mapped>(*later));
}

TEST_CASE("a gateway that goes is missed when the lease is over, not before", "[portmap]") {
    auto now = start;
    gateway g;
    client c(options(), now);
    REQUIRE(run(c, g, now, 1s).has_value());
    g.kind = gateway::speaks::nothing;
    CHECK_FALSE(run(c, g, now, 59min).has_value());
    const auto got = run(c, g, now, 2min);
    REQUIRE(got.has_value());
    CHECK(std::holds_alternative<unmapped>(*got));
    CHECK_FALSE(c.current().has_value());
}

TEST_CASE("what a gateway may not say", "[portmap]") {
    auto now = start;
    client c(options(), now);
    gateway g;
    REQUIRE(c.next_datagram().has_value());
    const auto ignored = [&](bytes what) {
        c.received(what, now);
        CHECK_FALSE(c.next_event().has_value());
        CHECK_FALSE(c.current().has_value());
    };
    auto good = g.pcp_answer(options().n, transport::tcp, 41443, 41443, outside, 3600);
    for (std::size_t cut = 0; cut < good.size(); ++cut)
        ignored(bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut)));
    auto n = options().n;
    n[3] ^= std::byte{1};
    ignored(g.pcp_answer(n, transport::tcp, 41443, 41443, outside, 3600));              // not our question
    ignored(g.pcp_answer(options().n, transport::udp, 41443, 41443, outside, 3600));
    ignored(g.pcp_answer(options().n, transport::tcp, 41444, 41443, outside, 3600));
    ignored(g.pcp_answer(options().n, transport::tcp, 41443, 41443, outside, 0));       // granted for no time
    ignored(*crypto::from_hex("008200000000007ba1e3a1e400000e10"));                     // NAT-PMP, not asked for
    SECTION("nonsense granted is as good as nothing") {
        const auto bad = GENERATE(ipv4{0, 0, 0, 0}, ipv4{127, 0, 0, 1}, ipv4{239, 1, 2, 3}, ipv4{255, 255, 255, 255});
        c.received(g.pcp_answer(options().n, transport::tcp, 41443, 41443, bad, 3600), now);
        const auto e = c.next_event();
        REQUIRE(e.has_value());
        CHECK(std::holds_alternative<unmapped>(*e));
    }
    SECTION("a lease of an age or of a second is looked after all the same") {
        c.received(g.pcp_answer(options().n, transport::tcp, 41443, 41443, outside, 0xffffffff), now);
        CHECK(c.deadline() == now + std::chrono::seconds(lease_s_max / 2));
        c.tick(*c.deadline());
        c.received(g.pcp_answer(options().n, transport::tcp, 41443, 41443, outside, 1), *c.deadline());
        CHECK(c.deadline() >= now + std::chrono::seconds(lease_s_max / 2 + lease_s_min / 2));
    }
}

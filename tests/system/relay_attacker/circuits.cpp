// Calls, joins and pipes without measure.
#include "tests/system/relay_attacker/attacks.hpp"

#include "proto/relay/circuit.hpp"

#include <iostream>
#include <thread>

namespace pp::attack {

using namespace std::chrono_literals;

// ARGUMENTS: circuits at a time, of one client.
void circuits(const setting& s) {
    const auto all = s.number(0), each = s.number(1);
    const auto reserve = [](raw_link& on, std::uint32_t ttl) {
        return status_of(on.ask<relay::reserve_reply>(relay::reserve_request{ttl}));
    };
    auto stranger = introduced(s);
    must_be(reserve(*stranger, 60), status::refused, "RESERVE of a stranger");
    must_be(reserve(*stranger, 0), status::bad_request, "a reservation of no time");
    must_be(reserve(*stranger, 3601), status::bad_request, "a reservation of more than an hour");
    must_be(reserve(*stranger, ~std::uint32_t{0}), status::bad_request, "a reservation for ever");
    must_be(status_of(stranger->ask<relay::connect_reply>(relay::connect_request{{}, true})), status::not_found,
            "a call to nobody");

    // Targets that take every call and never come; callers that never join.
    const owner me("called");
    std::vector<std::unique_ptr<raw_link>> targets;
    std::vector<relay::circuit_tag> tags;
    for (std::size_t n = 0; n < all; ++n) {
        targets.push_back(own(s, me));
        must_be(reserve(*targets.back(), 60), status::ok, "RESERVE");
        tags.push_back(relay::circuit_tag_of(targets.back()->account(), s.at.relay));
    }
    const auto call = [&](raw_link& caller, std::size_t to) {
        const auto stream =
            caller.request("relay/1", relay::encode(relay::request(relay::connect_request{tags[to], false})));
        targets[to]->answer(0, 200ms);   // INCOMING, if it comes
        const auto raw = caller.answer(stream);
        const auto said = raw ? relay::decode_reply<relay::connect_reply>(*raw)
                              : result<relay::reply<relay::connect_reply>>(relay::errc::lost);
        return said ? *said : relay::reply<relay::connect_reply>(relay::refusal{raw_link::no_answer, 0});
    };
    auto caller = introduced(s);
    for (std::size_t n = 0; n < each; ++n)
        must_be(status_of(call(*caller, n % all)), status::ok, "call " + std::to_string(n));
    must_be(status_of(call(*caller, 0)), status::busy, "more calls than one client may have");
    auto more = introduced(s);
    std::vector<std::unique_ptr<raw_link>> callers;
    std::size_t open = each;
    for (std::size_t n = 0; n < all * 2; ++n) {
        callers.push_back(introduced(s));
        const auto is = status_of(call(*callers.back(), n % all));
        must(is == status::ok || is == status::busy, "a call: status " + std::to_string(static_cast<int>(is)));
        open += is == status::ok;
    }
    must(open == all, "so many circuits are given out: " + std::to_string(open));
    // Wrong secrets, and the right one twice.
    std::this_thread::sleep_for(11s);
    const auto answer = call(*more, 0);
    must_be(status_of(answer), status::ok, "a call when the others' time was over");
    const auto& circuit = std::get<relay::connect_reply>(answer);
    const how pipe{.alpn = "peerpost-circuit/1", .with_certificate = false, .says_hello = false};
    const auto join = [&](relay::circuit_side side, const relay::array16& secret) {
        auto link = must_dial(s, pipe);
        link->send(relay::encode(relay::circuit_join{circuit.circuit, side, secret}));
        return link;
    };
    must(join(relay::circuit_side::caller, {})->is_ended(), "a join with a wrong secret");
    must(join(relay::circuit_side::target, circuit.secret)->is_ended(), "a join of the other side's place");
    auto right = join(relay::circuit_side::caller, circuit.secret);
    must(!right->is_ended(500ms), "a right join waits");
    must(join(relay::circuit_side::caller, circuit.secret)->is_ended(), "a second join with the same secret");
    // Joins by the hundred that never say who they are.
    std::vector<std::unique_ptr<raw_link>> silent;
    for (int n = 0; n < 300; ++n)
        if (auto link = raw_link::dial(
                s.at,
                {.source = "127.0.0.11", .alpn = "peerpost-circuit/1", .with_certificate = false, .says_hello = false}))
            silent.push_back(std::move(link));
    peak();
    must(right->is_ended(12s), "a join whose other side never comes ends");
    must_close(*own(s, me), me);
}

// A pipe that is opened and held by two of its own, and what it takes is counted. ARGUMENT: bytes a circuit may have.
void pipe_limit(const setting& s) {
    const owner me("pipe");
    auto target = own(s, me);
    must_be(status_of(target->ask<relay::reserve_reply>(relay::reserve_request{60})), status::ok, "RESERVE");
    auto caller = introduced(s);
    const auto tag = relay::circuit_tag_of(target->account(), s.at.relay);
    const auto stream = caller->request("relay/1", relay::encode(relay::request(relay::connect_request{tag, false})));
    target->answer(0, 2s);
    must(target->called.has_value(), "INCOMING");
    const auto raw = caller->answer(stream);
    const auto said = relay::decode_reply<relay::connect_reply>(raw.value_or(bytes()));
    must(said && std::holds_alternative<relay::connect_reply>(*said), "CONNECT");
    const auto& circuit = std::get<relay::connect_reply>(*said);
    const how odd{.alpn = "peerpost-circuit/1", .with_certificate = false, .says_hello = false};
    auto a = must_dial(s, odd), b = must_dial(s, odd);
    a->send(relay::encode(relay::circuit_join{circuit.circuit, relay::circuit_side::caller, circuit.secret}));
    b->send(relay::encode(relay::circuit_join{circuit.circuit, relay::circuit_side::target, target->called->secret}));
    std::size_t sent = 0;
    for (const auto until = steady::now() + 3s; steady::now() < until && sent < (64u << 20);) {
        if (!a->send(bytes(16384, std::byte{1}), 200ms)) break;   // nobody reads at the other end
        sent += 16384;
    }
    std::cout << "sent " << sent << std::endl;
    peak();
    must(sent < (16u << 20), "a pipe that nobody reads takes " + std::to_string(sent) + " bytes");
    must_close(*own(s, me), me);
}

}  // namespace pp::attack

// What a peer says on punch/1: decoded values are written as they came, and whoever begins survives any answer.
#include "proto/punch/initiator.hpp"

#include <cstdlib>

using namespace pp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto wire = std::as_bytes(std::span(data, size));
    if (const auto m = punch::decode(wire)) {
        const auto again = punch::encode(*m);
        if (!std::equal(again.begin(), again.end(), wire.begin(), wire.end())) std::abort();
    }
    punch::initiator machine;
    wire::time_point now{std::chrono::seconds(1)};
    machine.tick(now);
    for (int i = 0; i < 64 && !machine.finished(); ++i) {
        auto e = machine.next_event();
        if (!e) {
            if (!machine.deadline()) break;
            now = std::max(now, *machine.deadline());
            machine.tick(now);
        } else if (std::holds_alternative<punch::candidates_wanted>(*e)) {
            machine.answer(punch::own_candidates{});
        } else if (std::holds_alternative<punch::ask_peer>(*e)) {
            machine.answer(punch::peer_answer{to_bytes(wire)});
        } else {
            if (std::get<punch::go_and_dial>(*e).theirs.size() > punch::candidates_max) std::abort();
            machine.answer(punch::outcome{false});
        }
    }
    return 0;
}

// The side of hole punching that begins: who has dialled the circuit (proto/punch/SPEC.md; 04-network 4.5.6). Tells
// its candidates and learns the other's, measures how long that takes, says GO, and dials when GO arrives there; in
// rounds that come ever more seldom, and at once when the own addresses change. The daemon ends it with the circuit.
#pragma once

#include "proto/punch/messages.hpp"
#include "proto/wire/dialogue.hpp"

#include <array>

namespace pp::punch {

// Between the begin of the circuit and the begin of each round (04-network 4.5.6).
inline constexpr std::array<std::chrono::seconds, 6> rounds_at{std::chrono::seconds(0),  std::chrono::seconds(2),
                                                               std::chrono::seconds(10), std::chrono::minutes(5),
                                                               std::chrono::minutes(30), std::chrono::hours(2)};
// half of the slowest way there and back that is waited for
inline constexpr auto wait_max = std::chrono::seconds(2);

struct own_candidates {
    std::vector<candidate> all;
};
struct candidates_wanted {             // they are asked for each round
    using answer_type = own_candidates;
};
struct peer_answer {
    std::optional<bytes> reply;        // nullopt: none came
};
struct ask_peer {
    using answer_type = peer_answer;
    bytes message;
};
struct outcome {
    bool direct = false;               // there is a direct link now
};
struct go_and_dial {                   // send the message, and without waiting for its reply dial after `wait`
    using answer_type = outcome;
    bytes message;
    std::vector<candidate> theirs;
    std::chrono::steady_clock::duration wait{};
};
using event = std::variant<candidates_wanted, ask_peer, go_and_dial>;
using verdict = std::variant<own_candidates, peer_answer, outcome>;

// News: the own addresses have changed. input_ended(): the circuit is over.
// It ends by itself when there is a direct link.
class initiator : public wire::dialogue<event, verdict> {
private:
    wire::task<> converse() override;
    wire::task<bool> one_round();
};

}  // namespace pp::punch

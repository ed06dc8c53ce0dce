// A relay's circuits as a table (proto/relay/SPEC.md, "Circuits"): who has reserved, which calls are under way, which
// of their two sides have come, and every limit. Pure: the caller brings the clock and the dice, and holds the
// connections. Of a caller it knows the number of a link, of a target the tag; both are forgotten with the circuit.
#pragma once

#include "proto/relay/circuit.hpp"
#include "proto/relay/messages.hpp"

#include <map>
#include <optional>
#include <variant>
#include <vector>

namespace pp::engine {

struct circuit_rules {
    std::size_t circuits_max = 0;            // all at one time; 0: none are served
    std::size_t per_client_max = relay::circuits_per_client_max;
    std::size_t reservations_max = 10000;
    std::uint32_t reservation_s = relay::reservation_s_max;
    relay::circuit_limits limits;
};

class circuit_table {
public:
    using link_id = std::uint64_t;
    using time_point = wire::time_point;

    explicit circuit_table(circuit_rules rules) : rules_(rules) {}

    // The newest reservation of a tag gets its calls. observed: the client's endpoint.
    relay::reply<relay::reserve_reply> reserve(const relay::circuit_tag& tag, link_id link, std::uint32_t ttl_s,
                                               std::string observed, time_point now);
    // Three random values for one circuit.
    struct dice {
        relay::array16 circuit{}, caller_secret{}, target_secret{};
    };
    // Whom to ask, with what. caller: its endpoint, when it may be shown.
    struct call {
        link_id target = 0;
        relay::incoming_request message;
    };
    std::variant<call, relay::refusal> connect(const relay::circuit_tag& target, link_id caller,
                                               std::string caller_endpoint, const dice& random, time_point now);
    // What the target has said to INCOMING; the answer is the caller's.
    relay::reply<relay::connect_reply> answered(const relay::array16& circuit, bool accepted, time_point now);

    // A side has come. It waits for the other until the time told, or both are there, or it is nobody's.
    enum class join_verdict : std::uint8_t { nobody, first, both };
    join_verdict join(const relay::circuit_join& who, time_point now);
    std::optional<time_point> join_deadline(const relay::array16& circuit) const;
    // The pipe is over, or was never opened.
    void ended(const relay::array16& circuit) { circuits_.erase(circuit); }

    void link_gone(link_id link);            // its reservations go; circuits that are open do not need it
    void expire(time_point now);             // reservations and calls whose time is over; open circuits are the meter's
    const circuit_rules& rules() const { return rules_; }
    std::size_t circuits() const { return circuits_.size(); }
    std::size_t reservations() const { return reservations_.size(); }

private:
    enum class phase : std::uint8_t { asked, awaited, open };
    struct reservation {
        link_id link = 0;
        time_point until{};
    };
    struct call_state {
        phase is = phase::asked;
        link_id caller = 0;
        relay::circuit_tag target;
        relay::array16 secrets[2]{};         // by side
        bool here[2]{};
        time_point until{};                  // of asking and of joining
    };

    circuit_rules rules_;
    std::map<relay::circuit_tag, reservation> reservations_;
    std::map<relay::array16, call_state> circuits_;
};

}  // namespace pp::engine

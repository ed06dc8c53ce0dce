// Circuits (proto/relay/SPEC.md, "Circuits"): the join that stands in front of a byte pipe on a connection of its own,
// and the meter that holds the pipe to its limits.
// The bytes themselves never pass through here: the daemon copies them.
#pragma once

#include "proto/relay/messages.hpp"
#include "proto/wire/dialogue.hpp"

namespace pp::relay {

// Application protocol (TLS ALPN) of these connections, on the relay's ordinary port.
inline constexpr std::string_view circuit_alpn = "peerpost-circuit/1";

enum class circuit_side : std::uint8_t { caller = 0, target = 1 };
struct circuit_join {
    array16 circuit{};
    circuit_side side = circuit_side::caller;
    array16 secret{};
    bool operator==(const circuit_join&) const = default;
};
inline constexpr std::size_t join_bytes = 4 + 16 + 1 + 16;
bytes encode(const circuit_join&);
result<circuit_join> decode_join(bytes_view);       // exactly join_bytes

// ------------------------------------------------------------------ the relay's side of one connection
struct joined {
    bool yes = false;                   // both sides are here
};
struct join_asked {
    using answer_type = joined;         // answered when the other side has come, or never will
    circuit_join who;
};
// Reads the join, tells whether there is a pipe (one byte: 1 yes, 0 no). After finished() the connection is a pipe when
// open() holds, beginning with early(); else it is to be closed.
class join_session : public wire::dialogue<std::variant<join_asked>, std::variant<joined>> {
public:
    bool open() const { return open_; }
    bytes early() { return std::move(early_); }     // came behind the join

private:
    wire::task<> converse() override;
    bool open_ = false;
    bytes early_;
};

// ------------------------------------------------------------------ limits of a pipe
struct circuit_limits {
    std::uint64_t burst_bytes = circuit_burst_bytes;
    std::uint32_t rate_bytes_per_s = circuit_rate_bytes_per_s;
    std::uint64_t bytes_max = circuit_bytes_max;
    std::chrono::seconds time_max = circuit_time_max;
};
// Of both directions together. Time is given, never taken.
class circuit_meter {
public:
    circuit_meter(circuit_limits limits, wire::time_point opened)
        : limits_(limits), opened_(opened), filled_(opened), tokens_(limits.burst_bytes) {}

    // How many bytes may pass now; 0: not before next().
    std::uint64_t allowance(wire::time_point now);
    void passed(std::uint64_t n);
    // What may pass in the rest of the circuit's life.
    std::uint64_t left() const { return limits_.bytes_max - total_; }
    // When a buffer full may pass again.
    wire::time_point next() const;
    // The circuit has had all it may have, in bytes or time.
    bool spent(wire::time_point now) const { return total_ >= limits_.bytes_max || now >= opened_ + limits_.time_max; }

private:
    circuit_limits limits_;
    wire::time_point opened_, filled_;
    std::uint64_t tokens_, total_ = 0;
};

}  // namespace pp::relay

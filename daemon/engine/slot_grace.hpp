// When a relay may close slots nobody has asked for: not before their owners had time to come since the relay began to
// serve, or since its clock was set. By a clock that is far ahead every slot is idle, and an owner who was let in by an
// invite cannot open hers again; who comes meanwhile is counted by the clock as it is. What else ends by that clock its
// senders bring again (proto/relay/SPEC.md, "Walks of a client"). Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace pp::engine {

inline constexpr auto slot_grace_time = std::chrono::hours(1);      // the longest pause between two tries is minutes
inline constexpr std::int64_t slot_grace_jump_s = 10 * 60;          // between two questions, a minute apart

class slot_grace {
public:
    // Asked each minute. wall_s: Unix seconds.
    bool is_over(std::int64_t wall_s, std::chrono::steady_clock::time_point now) {
        const auto moved = wall_s - last_wall_s_;
        if (!since_ || moved > slot_grace_jump_s || moved < -slot_grace_jump_s) since_ = now;
        last_wall_s_ = wall_s;
        return now - *since_ >= slot_grace_time;
    }

private:
    std::int64_t last_wall_s_ = 0;
    std::optional<std::chrono::steady_clock::time_point> since_;
};

}  // namespace pp::engine

// One round of dialling one candidate, again and again (04-network 4.5.6): a hole opens on the one side when that side
// dials. Refused: a router answered before the other side's hole was there, or nobody is there yet; once more after 100
// ms. Unanswered: the kernel goes on sending its SYN by itself, at 1 s and 3 s, for 3.5 s. All together 6 s.
#pragma once

#include <chrono>
#include <optional>

namespace pp::punch {

inline constexpr auto refused_pause = std::chrono::milliseconds(100);
inline constexpr auto unanswered_limit = std::chrono::milliseconds(3500);
inline constexpr auto burst_limit = std::chrono::seconds(6);
inline constexpr unsigned tries_max = 60;              // what the times above allow; each costs a socket

class burst {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit burst(time_point begin) : next_(begin), end_(begin + burst_limit) {}

    // When to dial next; nullopt: give up.
    std::optional<time_point> next() const {
        return tries_ < tries_max && next_ < end_ ? std::optional(next_) : std::nullopt;
    }
    // It is dialled now; until when to wait for an answer.
    time_point dialling(time_point now) {
        ++tries_;
        const auto longest = now + unanswered_limit;
        return longest < end_ ? longest : end_;
    }
    // There was no connection.
    void failed(time_point now, bool refused) { next_ = refused ? now + refused_pause : now; }

private:
    time_point next_, end_;
    unsigned tries_ = 0;
};

}  // namespace pp::punch

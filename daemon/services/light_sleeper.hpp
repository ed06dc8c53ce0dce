// For who waits for something that is about to come. A thread that sleeps is woken in 25 us on a virtual machine, and a
// commit is two of them beside the 100 us of a fast disk's sync: both sides of a commit look for what they wait for a
// short time before they sleep. Nothing is burned while nothing is written, where somebody else wants the processor, or
// where the disk is slow.
#pragma once

#include <chrono>
#include <thread>

namespace pp::services {

// A sync of a fast disk, and a client that goes on at once.
inline constexpr auto stay_awake_for = std::chrono::microseconds(200);
// Between two looks: then the processor was somebody else's meanwhile.
inline constexpr auto taken_away_after = std::chrono::microseconds(100);
inline constexpr unsigned in_vain_max = 16;   // so often in a row, and it is no use
inline constexpr auto sleeps_at_once_for = std::chrono::milliseconds(100);

// Of one thread.
class light_sleeper {
public:
    // Calls look() until it returns true - what was waited for is there - or waiting is no use. look() is cheap and
    // does not block.
    template <class Look>
    void stay_awake(Look look) {
        using clock = std::chrono::steady_clock;
        const auto begun = clock::now();
        if (is_alone_ || begun < asleep_until_) return;
        for (auto before = begun; !look();) {
            std::this_thread::yield();   // whoever brings it may want this very processor
            const auto now = clock::now();
            const bool taken_away = now - before >= taken_away_after;
            if (taken_away || now - begun >= stay_awake_for) {
                if (taken_away || ++in_vain_ >= in_vain_max) {
                    in_vain_ = 0;
                    asleep_until_ = now + sleeps_at_once_for;
                }
                return;
            }
            before = now;
        }
        in_vain_ = 0;
    }

private:
    const bool is_alone_ = std::thread::hardware_concurrency() < 2;   // nobody could bring anything meanwhile
    unsigned in_vain_ = 0;
    std::chrono::steady_clock::time_point asleep_until_{};
};

}  // namespace pp::services

// One process, many simulated machines: their threads are real ones, of which exactly one runs at any moment, and time
// is a number that moves when nobody can run. A thread gives way only where it would block (a condition variable, a
// poll, a join, a sleep: libc_*.cpp put themselves in front of these calls), so the same seed gives the same run. It
// hands the turn to the next one itself: one change of threads for each turn, and none when the next one is itself.
#pragma once

#include "tests/simulation/dice.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <pthread.h>
#include <semaphore.h>
#include <string>
#include <vector>

namespace pp::sim {

using nanoseconds = std::int64_t;
inline constexpr nanoseconds never = std::numeric_limits<nanoseconds>::max();
inline constexpr nanoseconds us = 1000, ms = 1000 * us, second = 1000 * ms, minute = 60 * second, hour = 60 * minute;
inline constexpr nanoseconds day = 24 * hour;

// What the operating system knows of one machine.
struct host {
    int number = 0;                      // also its IPv4 address: 10.0.0.number
    bool powered = true;
    nanoseconds wall_ahead = 0;          // of its clock before the true time
    nanoseconds slept = 0;               // which steady clocks do not count, CLOCK_BOOTTIME does
    void sleeps(nanoseconds length) {
        wall_ahead += length;
        slept += length;
    }
    bool disk_full = false;
    std::uint64_t writes = 0;            // system calls that changed a file
    std::uint64_t dies_at_write = 0;     // power goes just before that one; 0: not planned
    unsigned starts = 0;                 // of its daemon
    bool user = false;                   // somebody at a keyboard: no disk, the network is a loopback
    std::function<void()> power_went;    // in the middle of a write
    std::uint32_t address() const { return 0x0a000000u + static_cast<std::uint32_t>(number); }
};

// Thrown out of a poll on a machine without power: ends its network thread at once.
struct power_lost {};

struct thread {
    int number = 0;
    host* on = nullptr;
    pthread_t id{};
    sem_t go{};
    std::function<void*()> body;
    void* result = nullptr;
    const void* waits_for = nullptr;
    std::uint64_t waits = 0;             // how often it has: an old time-out is recognised by it
    bool timed_out = false, finished = false;
};

class scheduler {
public:
    static scheduler& the();
    // From here on time is virtual and these dice decide.
    void begin(std::uint64_t seed);
    bool active() const { return active_; }

    nanoseconds now() const { return now_; }
    // The thread that runs; null in the scheduler's own.
    static thread* self();

    thread* spawn(host& on, std::function<void*()> body);
    thread* find(pthread_t id) const;    // the youngest of that name: names are used again
    // `what` touches the simulation alone, for it happens on the stack of whichever thread waits next.
    void at(nanoseconds when, std::function<void()> what);
    // `what` may call the daemon: it happens on the stack of run().
    void at_home(nanoseconds when, std::function<void()> what);
    // Runs threads and events until the time has come, nothing is left to do, or `enough` says so.
    void run(nanoseconds until, const std::function<bool()>& enough = nullptr);
    std::uint64_t switches() const { return switches_; }

    // From a simulated thread: waits until somebody wakes `on`; false when the time is over first.
    bool block(const void* on, nanoseconds deadline = never);
    void wake_one(const void* on);
    void wake_all(const void* on);

    // What the run did, as a number: two runs of one seed must agree.
    void mix(std::uint64_t what) { print_ = (print_ ^ what) * 0x100000001b3ull; }
    std::uint64_t print() const { return print_; }

private:
    struct event {
        std::function<void()> what;
        bool at_home = false;
    };
    // Lets events happen until a thread is to run. Null: the turn is run()'s.
    thread* choose(bool home);
    bool is_over() const { return now_ > until_ || (enough_ && *enough_ && (*enough_)()); }
    void make_runnable(thread& t, bool timed_out);

    bool active_ = false;
    nanoseconds now_ = 0;
    dice dice_{0};
    std::vector<std::unique_ptr<thread>> threads_;
    std::vector<thread*> runnable_, waiting_;
    std::multimap<nanoseconds, event> events_;
    sem_t back_{};                       // the turn is run()'s
    thread* ended_ = nullptr;            // to be joined before anybody else runs
    nanoseconds until_ = 0;              // of run()
    const std::function<bool()>* enough_ = nullptr;
    bool quiet_ = false;                 // nothing is left to do before until_
    std::uint64_t switches_ = 0, print_ = 0xcbf29ce484222325ull;
};

// A line of the story, with --trace.
void tell(const char* format, ...) __attribute__((format(printf, 1, 2)));
extern bool telling;

}  // namespace pp::sim

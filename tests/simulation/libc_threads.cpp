// Threads, locks and clocks of the C library, simulated (scheduler.hpp). Threads that the simulation has not made, and
// everything before it begins, get the real ones.
#include "tests/simulation/real.hpp"
#include "tests/simulation/scheduler.hpp"

#include <bits/atomic_futex.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

using namespace pp::sim;

namespace {

constexpr nanoseconds monotonic_base = 1000 * second;
constexpr nanoseconds wall_base = 1767600000 * second;   // January 2026
constexpr nanoseconds last_monotonic = 1000000000 * second;   // above it a time is one of the wall clock
constexpr nanoseconds yield_takes = second / 10000;
std::size_t waiting_for_mutex = 0;

nanoseconds wall_ahead() {
    const auto* t = scheduler::self();
    return wall_base + (t ? t->on->wall_ahead : 0);
}
nanoseconds slept() {
    const auto* t = scheduler::self();
    return t ? t->on->slept : 0;
}

timespec to_timespec(nanoseconds t) { return {static_cast<time_t>(t / second), static_cast<long>(t % second)}; }

nanoseconds from(const timespec& t) {   // a moment of either clock, on the scheduler's
    if (t.tv_sec >= never / second) return never;
    const auto n = static_cast<nanoseconds>(t.tv_sec) * second + t.tv_nsec;
    return n >= last_monotonic ? n - wall_ahead() : n - monotonic_base;
}

int wait_on(pthread_cond_t* condition, pthread_mutex_t* mutex, nanoseconds deadline) {
    auto& s = scheduler::the();
    if (!scheduler::self()) std::abort();
    pthread_mutex_unlock(mutex);
    const bool woken = s.block(condition, deadline);
    pthread_mutex_lock(mutex);
    return woken ? 0 : ETIMEDOUT;
}

}  // namespace

extern "C" {

int pthread_create(pthread_t* id, const pthread_attr_t* attributes, void* (*f)(void*), void* argument) {
    auto* me = scheduler::self();
    if (!me) return real().pthread_create(id, attributes, f, argument);
    *id = scheduler::the().spawn(*me->on, [f, argument] { return f(argument); })->id;
    return 0;
}

int pthread_mutex_lock(pthread_mutex_t* mutex) {
    if (!scheduler::self()) return real().pthread_mutex_lock(mutex);
    int got = 0;
    while ((got = pthread_mutex_trylock(mutex)) == EBUSY) {
        ++waiting_for_mutex;
        scheduler::the().block(mutex);
        --waiting_for_mutex;
    }
    return got;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) {
    const int done = real().pthread_mutex_unlock(mutex);
    if (waiting_for_mutex > 0) scheduler::the().wake_one(mutex);
    return done;
}

int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* m) { return wait_on(c, m, never); }
int pthread_cond_timedwait(pthread_cond_t* c, pthread_mutex_t* m, const timespec* until) {
    return wait_on(c, m, from(*until));
}
int pthread_cond_clockwait(pthread_cond_t* c, pthread_mutex_t* m, clockid_t, const timespec* until) {
    return wait_on(c, m, from(*until));
}
int pthread_cond_signal(pthread_cond_t* c) noexcept {
    scheduler::the().wake_one(c);
    return 0;
}
int pthread_cond_broadcast(pthread_cond_t* c) noexcept {
    scheduler::the().wake_all(c);
    return 0;
}

int clock_gettime(clockid_t clock, timespec* out) noexcept {
    const auto& s = scheduler::the();
    const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    const bool boot = clock == CLOCK_BOOTTIME;
    const bool steady =
        clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_MONOTONIC_RAW || boot;
    if (!s.active() || (!wall && !steady)) return static_cast<int>(::syscall(SYS_clock_gettime, clock, out));
    *out = to_timespec(s.now() + (wall ? wall_ahead() : monotonic_base + (boot ? slept() : 0)));
    return 0;
}
int gettimeofday(timeval* out, void*) noexcept {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    *out = {t.tv_sec, t.tv_nsec / 1000};
    return 0;
}
time_t time(time_t* out) noexcept {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}
int nanosleep(const timespec* length, timespec* left) {
    if (!scheduler::self()) return real().nanosleep(length, left);
    auto& s = scheduler::the();
    s.block(length, s.now() + length->tv_sec * second + length->tv_nsec);
    return 0;
}
int clock_nanosleep(clockid_t, int flags, const timespec* length, timespec*) {
    if (!scheduler::self()) return EINVAL;
    auto& s = scheduler::the();
    s.block(length, (flags & TIMER_ABSTIME) ? from(*length) : s.now() + length->tv_sec * second + length->tv_nsec);
    return 0;
}
// Somebody else's turn, and some time goes by: else who looks at the clock meanwhile would look for ever.
int sched_yield() noexcept {
    if (!scheduler::self()) return static_cast<int>(::syscall(SYS_sched_yield));
    auto& s = scheduler::the();
    const int turn = 0;
    s.block(&turn, s.now() + yield_takes);
    return 0;
}

int get_nprocs() noexcept { return 2; }   // of workers per machine

}  // extern "C"

// What std::promise and std::future wait with.
namespace std {

bool __atomic_futex_unsigned_base::_M_futex_wait_until(unsigned* address, unsigned value, bool limited,
                                                       chrono::seconds s, chrono::nanoseconds n) {
    if (*address != value) return true;
    return scheduler::the().block(address, limited ? from({s.count(), n.count()}) : never);
}
bool __atomic_futex_unsigned_base::_M_futex_wait_until_steady(unsigned* address, unsigned value, bool limited,
                                                              chrono::seconds s, chrono::nanoseconds n) {
    return _M_futex_wait_until(address, value, limited, s, n);
}
void __atomic_futex_unsigned_base::_M_futex_notify_all(unsigned* address) { scheduler::the().wake_all(address); }

}  // namespace std

// Apart: std::thread's own declaration of it has no exception specification everywhere.
extern "C" int pthread_join(pthread_t id, void** result) {
    auto* me = scheduler::self();
    if (!me) return real().pthread_join(id, result);
    auto* other = scheduler::the().find(id);
    if (!other) return ESRCH;
    while (!other->finished) scheduler::the().block(other);
    if (result) *result = other->result;
    return 0;
}

#include "tests/simulation/scheduler.hpp"

#include "tests/simulation/real.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace pp::sim {

namespace {

constexpr nanoseconds cost_of_a_switch = us;   // so that no loop stands still in time
thread_local thread* own = nullptr;

void wait_for(sem_t& s) {
    while (sem_wait(&s) != 0 && errno == EINTR) {}
}

}  // namespace

bool telling = false;

void tell(const char* format, ...) {
    if (!telling) return;
    const auto t = scheduler::the().now();
    std::printf("%12.6f  ", static_cast<double>(t) / 1e9);
    va_list args;
    va_start(args, format);
    std::vprintf(format, args);
    va_end(args);
    std::putchar('\n');
}

scheduler& scheduler::the() {
    static scheduler* const one = new scheduler;   // never destroyed: libraries ask for the time until the very end
    return *one;
}

thread* scheduler::self() { return own; }

void scheduler::begin(std::uint64_t seed) {
    if (!active_) sem_init(&back_, 0, 0);
    active_ = true;
    dice_ = dice(seed);
    print_ = 0xcbf29ce484222325ull;
    switches_ = 0;
}

thread* scheduler::spawn(host& on, std::function<void*()> body) {
    threads_.push_back(std::make_unique<thread>());
    auto* t = threads_.back().get();
    t->number = static_cast<int>(threads_.size());
    t->on = &on;
    t->body = std::move(body);
    sem_init(&t->go, 0, 0);
    const auto enter = [](void* given) -> void* {
        auto* me = static_cast<thread*>(given);
        own = me;
        wait_for(me->go);
        me->result = me->body();
        me->body = nullptr;
        me->finished = true;
        auto& s = scheduler::the();
        s.wake_all(me);
        s.ended_ = me;
        sem_post(&s.back_);
        return nullptr;
    };
    if (real().pthread_create(&t->id, nullptr, enter, t) != 0) std::abort();
    runnable_.push_back(t);
    return t;
}

thread* scheduler::find(pthread_t id) const {
    for (auto t = threads_.rbegin(); t != threads_.rend(); ++t)
        if (pthread_equal((*t)->id, id)) return t->get();
    return nullptr;
}

void scheduler::at(nanoseconds when, std::function<void()> what) {
    events_.emplace(std::max(when, now_), event{std::move(what), false});
}

void scheduler::at_home(nanoseconds when, std::function<void()> what) {
    events_.emplace(std::max(when, now_), event{std::move(what), true});
}

thread* scheduler::choose(bool home) {
    for (;;) {
        if (is_over()) return nullptr;
        if (!events_.empty() && events_.begin()->first <= now_) {
            if (events_.begin()->second.at_home && !home) return nullptr;
            auto what = std::move(events_.begin()->second.what);
            events_.erase(events_.begin());
            what();
        } else if (!runnable_.empty()) {
            const auto chosen = runnable_.begin() + static_cast<std::ptrdiff_t>(dice_.below(runnable_.size()));
            auto* t = *chosen;
            runnable_.erase(chosen);
            mix(static_cast<std::uint64_t>(now_) * 64 + static_cast<std::uint64_t>(t->number));
            now_ += cost_of_a_switch;
            ++switches_;
            return t;
        } else if (!events_.empty() && events_.begin()->first <= until_) {
            now_ = events_.begin()->first;
        } else {
            now_ = std::max(now_, until_);
            quiet_ = true;
            return nullptr;
        }
    }
}

void scheduler::run(nanoseconds until, const std::function<bool()>& enough) {
    until_ = until;
    enough_ = &enough;
    quiet_ = false;
    while (!quiet_ && !is_over()) {
        auto* next = choose(true);
        if (!next) continue;
        sem_post(&next->go);
        wait_for(back_);
        if (auto* over = std::exchange(ended_, nullptr))
            real().pthread_join(over->id, nullptr);   // its thread-local objects go now, not while others run
    }
    enough_ = nullptr;
}

bool scheduler::block(const void* on, nanoseconds deadline) {
    if (!own) std::abort();   // the scheduler's own thread never waits
    auto* me = own;
    me->waits_for = on;
    me->timed_out = false;
    const auto which = ++me->waits;
    waiting_.push_back(me);
    if (deadline != never)
        at(deadline, [this, me, which] {
            if (me->waits == which && me->waits_for) make_runnable(*me, true);
        });
    // The turn goes straight to the next thread, often this one again.
    const int kept_errno = errno;
    own = nullptr;
    auto* next = choose(false);
    own = me;
    if (next != me) {
        sem_post(next ? &next->go : &back_);
        wait_for(me->go);
    }
    errno = kept_errno;
    return !me->timed_out;
}

void scheduler::make_runnable(thread& t, bool timed_out) {
    t.waits_for = nullptr;
    t.timed_out = timed_out;
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &t));
    runnable_.push_back(&t);
}

void scheduler::wake_one(const void* on) {
    const auto found =
        std::find_if(waiting_.begin(), waiting_.end(), [on](const thread* t) { return t->waits_for == on; });
    if (found != waiting_.end()) make_runnable(**found, false);
}

void scheduler::wake_all(const void* on) {
    for (std::size_t i = 0; i < waiting_.size();)
        if (waiting_[i]->waits_for == on) make_runnable(*waiting_[i], false);   // takes it out
        else ++i;
}

}  // namespace pp::sim

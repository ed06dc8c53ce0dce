#include "daemon/cli/process.hpp"

#include "daemon/services/log.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace pp::cli {

namespace {

sigset_t end_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
    return set;
}

}  // namespace

void harden_process() {
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)   // the leak check of the sanitizer attaches to the process
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, descriptors_max);
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

struct end_signal::state {
    std::mutex mutex;
    std::condition_variable changed;
    bool came = false, over = false;
    std::thread waiter;
};

end_signal::end_signal(std::function<void()> on_end, std::chrono::milliseconds patience)
    : state_(std::make_shared<state>()) {
    const auto set = end_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    state_->waiter = std::thread([s = state_, on_end = std::move(on_end), set, patience] {
        int number = 0;
        sigwait(&set, &number);
        std::unique_lock guard(s->mutex);
        if (s->over) return;
        s->came = true;
        guard.unlock();
        on_end();
        guard.lock();
        if (s->changed.wait_for(guard, patience, [&] { return s->over; })) return;
        services::log(services::area::main).warn("event=ended_late");
        services::flush_log();
        std::_Exit(EXIT_SUCCESS);
    });
}

end_signal::~end_signal() {
    bool wake = false;
    {
        const std::lock_guard guard(state_->mutex);
        state_->over = true;
        wake = !state_->came;
        state_->changed.notify_all();
    }
    if (wake) pthread_kill(state_->waiter.native_handle(), SIGTERM);   // it waits in sigwait
    state_->waiter.join();
}

bool end_signal::came() const {
    const std::lock_guard guard(state_->mutex);
    return state_->came;
}

}  // namespace pp::cli

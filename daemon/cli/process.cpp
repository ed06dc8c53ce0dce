#include "daemon/cli/process.hpp"

#include "daemon/services/log.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace pp::cli {

namespace {

// nohup(1) has SIGHUP ignored; a blocked signal is not, and sigwait would take it.
bool is_ignored(int number) {
    struct sigaction how {};
    return sigaction(number, nullptr, &how) == 0 && how.sa_handler == SIG_IGN;
}

sigset_t end_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
        if (number != SIGHUP || !is_ignored(number)) sigaddset(&set, number);
    return set;
}

}  // namespace

void harden_process() {
    for (int fd = 0; fd <= STDERR_FILENO;) {   // the lowest that is free is the one that is given
        fd = open("/dev/null", O_RDONLY);
        if (fd < 0) break;
        if (fd > STDERR_FILENO) close(fd);
    }
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

bool output_is_lost() {
    struct stat out {}, null {};
    if (fstat(STDOUT_FILENO, &out) != 0 || (fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY) return true;
    return S_ISCHR(out.st_mode) && stat("/dev/null", &null) == 0 && out.st_rdev == null.st_rdev;
}

#ifdef __linux__
namespace {

// Of all that root may: to read. The way to a home may be open to root only; systemd keeps those of its dynamic users
// in /var/lib/private.
bool keep_only_reading() {
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> kept{};
    kept[0].effective = kept[0].permitted = 1u << CAP_DAC_READ_SEARCH;
    if (syscall(SYS_capset, &head, kept.data()) == 0) return true;
    kept[0].effective = kept[0].permitted = 0;   // not even root has it, in some containers
    return syscall(SYS_capset, &head, kept.data()) == 0;
}

}  // namespace
#endif

bool become_owner_of(const std::filesystem::path& what) {
    struct stat there {};
    if (geteuid() != 0 || stat(what.c_str(), &there) != 0 || there.st_uid == 0) return true;
#ifdef __linux__
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return false;
#endif
    if (setgroups(0, nullptr) != 0 || setgid(there.st_gid) != 0 || setuid(there.st_uid) != 0) return false;
#ifdef __linux__
    return keep_only_reading();
#else
    return true;
#endif
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

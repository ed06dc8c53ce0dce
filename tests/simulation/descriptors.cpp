#include "tests/simulation/descriptors.hpp"

#include <cerrno>
#include <utility>

namespace pp::sim {

void (*spinning)(const host&) = nullptr;

namespace {
constexpr unsigned polls_in_a_row_max = 50000;
}

void descriptor::changed() {
    for (const auto& weak : watched_by_)
        if (const auto p = weak.lock()) p->edge(*this);
    scheduler::the().wake_all(this);
}

int poller::control(int operation, int fd, epoll_event* event) {
    if (operation == EPOLL_CTL_DEL) {
        watches_.erase(fd);
        return 0;
    }
    const auto what = descriptor_table::the().find(fd);
    if (!what) {
        errno = EBADF;
        return -1;
    }
    auto& w = watches_[fd];
    w.what = what;
    w.asked = *event;
    w.pending = true;   // adding and changing look at the present state
    const auto mine = std::static_pointer_cast<poller>(shared_from_this());
    bool known = false;
    for (const auto& p : what->watched_by_) known = known || p.lock() == mine;
    if (!known) what->watched_by_.push_back(mine);
    scheduler::the().wake_all(this);
    return 0;
}

void poller::edge(const descriptor& of) {
    for (auto& [fd, w] : watches_)
        if (w.what.lock().get() == &of) w.pending = true;
    scheduler::the().wake_all(this);
}

int poller::wait(epoll_event* out, int most, int timeout_ms) {
    auto& s = scheduler::the();
    const auto deadline = timeout_ms < 0 ? never : s.now() + timeout_ms * ms;
    for (;;) {
        if (!on.powered) throw power_lost{};
        int n = 0;
        for (auto w = watches_.begin(); w != watches_.end() && n < most;) {
            const auto what = w->second.what.lock();
            if (!what) {
                w = watches_.erase(w);
                continue;
            }
            if (std::exchange(w->second.pending, false)) {
                const auto now_ready = what->ready() & (w->second.asked.events | EPOLLERR | EPOLLHUP);
                if (now_ready) out[n++] = {now_ready, w->second.asked.data};
            }
            ++w;
        }
        if (timeout_ms == 0 && ++polls_in_a_row_ > polls_in_a_row_max && spinning) spinning(on);
        if (n > 0 || timeout_ms == 0 || s.now() >= deadline) return n;
        polls_in_a_row_ = 0;
        s.block(this, deadline);
    }
}

descriptor_table& descriptor_table::the() {
    static descriptor_table* const one = new descriptor_table;
    return *one;
}

int descriptor_table::add(std::shared_ptr<descriptor> d) {
    open_[next_] = std::move(d);
    return next_++;
}

std::shared_ptr<descriptor> descriptor_table::find(int fd) const {
    const auto found = open_.find(fd);
    return found == open_.end() ? nullptr : found->second;
}

void descriptor_table::power_went(const host& h) {
    for (const auto& [fd, d] : open_)
        if (&d->on == &h) scheduler::the().wake_all(d.get());
}

bool descriptor_table::close(int fd) {
    const auto found = open_.find(fd);
    if (found == open_.end()) return false;
    const auto d = std::move(found->second);
    open_.erase(found);
    d->closed();
    return true;
}

}  // namespace pp::sim

// File descriptors of the simulated machines: sockets (network.hpp), events, and the polls that watch them. Their
// numbers lie above those of real files and are never used twice, so that a use after close shows.
#pragma once

#include "tests/simulation/scheduler.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <sys/epoll.h>
#include <vector>

namespace pp::sim {

class poller;

class descriptor : public std::enable_shared_from_this<descriptor> {
public:
    explicit descriptor(host& machine) : on(machine) {}
    virtual ~descriptor() = default;
    virtual std::uint32_t ready() const = 0;   // EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP
    virtual void closed() {}                   // the program has closed it
    // ready() may say more than before: whoever polls or waits looks again.
    void changed();

    host& on;
    bool non_blocking = false;

private:
    friend class poller;
    std::vector<std::weak_ptr<poller>> watched_by_;
};

// epoll(7), edge-triggered as Asio asks for it.
class poller : public descriptor {
public:
    using descriptor::descriptor;
    std::uint32_t ready() const override { return 0; }
    int control(int operation, int fd, epoll_event* event);
    // As epoll_wait; throws power_lost. A program that never waits, while time stands still, ends in spinning().
    int wait(epoll_event* out, int most, int timeout_ms);
    void edge(const descriptor& of);

private:
    struct watch {
        std::weak_ptr<descriptor> what;
        epoll_event asked{};
        bool pending = false;
    };
    std::map<int, watch> watches_;
    unsigned polls_in_a_row_ = 0;        // that did not wait
};

// eventfd(2).
class event_counter : public descriptor {
public:
    event_counter(host& machine, std::uint64_t n) : descriptor(machine), count(n) {}
    std::uint32_t ready() const override { return EPOLLOUT | (count > 0 ? EPOLLIN : 0u); }
    std::uint64_t count;
};

extern void (*spinning)(const host& machine);

inline constexpr int first_descriptor = 1 << 20;

// All that are open, of all machines.
class descriptor_table {
public:
    static descriptor_table& the();
    int add(std::shared_ptr<descriptor> d);
    std::shared_ptr<descriptor> find(int fd) const;
    template <class T>
    std::shared_ptr<T> find(int fd) const {
        return std::dynamic_pointer_cast<T>(find(fd));
    }
    bool close(int fd);
    void power_went(const host& h);      // who polls there learns it

private:
    std::map<int, std::shared_ptr<descriptor>> open_;
    int next_ = first_descriptor;
};

}  // namespace pp::sim

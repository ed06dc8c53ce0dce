// Coroutines of one thread that wait until something has changed: who changes it rings, and all of them look again.
#pragma once

#include "daemon/net/asio.hpp"

#include <list>

namespace pp::net {

class bell {
public:
    explicit bell(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    bell(const bell&) = delete;
    bell& operator=(const bell&) = delete;

    void ring() {
        for (auto* timer : waiting_) timer->cancel();
    }
    // Until it rings, or this moment at the latest. The bell outlives the wait.
    awaitable<void> wait(std::chrono::steady_clock::time_point until) {
        asio::steady_timer timer(executor_, until);
        const auto place = waiting_.insert(waiting_.end(), &timer);
        auto [ec] = co_await timer.async_wait(as_result);
        (void)ec;
        waiting_.erase(place);
    }

private:
    asio::any_io_executor executor_;
    std::list<asio::steady_timer*> waiting_;
};

}  // namespace pp::net

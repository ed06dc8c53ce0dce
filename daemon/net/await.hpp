// Waiting in a coroutine for work that happens on another thread: a commit of the store writer, a job of the workers.
#pragma once

#include "daemon/net/asio.hpp"
#include "daemon/services/node.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace pp::net {

// A value that another thread will set once; await it on the executor it was made for.
template <class T>
class promise_slot {
public:
    explicit promise_slot(asio::any_io_executor executor) : state_(std::make_shared<state>(std::move(executor))) {}

    // From any thread, once.
    auto setter() const {
        return [s = state_](T value) {
            asio::post(s->executor, [s, v = std::move(value)]() mutable {
                s->value.emplace(std::move(v));
                s->timer.cancel();
            });
        };
    }
    awaitable<T> wait() {
        auto s = state_;
        while (!s->value) {
            s->timer.expires_at(asio::steady_timer::time_point::max());
            auto [ec] = co_await s->timer.async_wait(as_result);
            (void)ec;
        }
        co_return std::move(*s->value);
    }

private:
    struct state {
        explicit state(asio::any_io_executor e) : executor(e), timer(e) {}
        asio::any_io_executor executor;
        asio::steady_timer timer;
        std::optional<T> value;
    };
    std::shared_ptr<state> state_;
};

// Durable when it returns success.
inline awaitable<result<void>> commit(services::node& n, services::account& a, services::store_writer::job work,
                                      services::urgency how = services::urgency::now) {
    promise_slot<result<void>> slot(co_await asio::this_coro::executor);
    n.writer().submit(a.label(), a.store(), std::move(work), slot.setter(), how);
    co_return co_await slot.wait();
}

// Runs f on the worker pool; f must own or outlive everything it touches.
template <class F>
auto offload(asio::thread_pool& workers, F f) -> awaitable<decltype(f())> {
    promise_slot<decltype(f())> slot(co_await asio::this_coro::executor);
    asio::post(workers, [f = std::move(f), set = slot.setter()]() mutable { set(f()); });
    co_return co_await slot.wait();
}

// Syncing and renaming a large blob takes as long as the disk: not on the network thread.
inline constexpr std::uint64_t finish_on_worker_bytes = 256 * 1024;

inline awaitable<result<void>> finish_blob(asio::thread_pool& workers, std::shared_ptr<storage::blob_writer> blob) {
    if (blob->plain_bytes() <= finish_on_worker_bytes) co_return blob->finish();
    auto finish = [blob] { return blob->finish(); };
    co_return co_await offload(workers, std::move(finish));
}

}  // namespace pp::net

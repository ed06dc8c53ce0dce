// One connection and one protocol machine, joined: the only loop that moves bytes for every protocol (02-architecture
// 2.2). The handler answers the machine's events; the pump reads only while no question is open, so a slow store slows
// the client and nothing piles up.
//
// Lives on one executor (one thread). wake() may be called from that thread only; other threads post it.
#pragma once

#include "daemon/net/any_stream.hpp"
#include "daemon/services/rawlog.hpp"
#include "proto/wire/dialogue.hpp"

#include <concepts>
#include <string>

namespace pp::net {

inline constexpr std::size_t read_idle_bytes = 4 * 1024;     // of an idle connection
inline constexpr std::size_t read_bulk_bytes = 64 * 1024;    // while data comes in full buffers
inline constexpr auto write_stall_limit = std::chrono::minutes(5);   // a client that reads nothing for so long is cut

template <class Machine>
class pump {
public:
    pump(any_stream& stream, Machine& machine) : stream_(stream), machine_(machine), waker_(stream.executor()) {}
    // Copies what passes into a raw session log, when there is one.
    void tap(std::unique_ptr<services::rawlog> log) { rawlog_ = std::move(log); }
    pump(const pump&) = delete;
    pump& operator=(const pump&) = delete;

    // Runs until the machine has finished, the connection is gone, or end() was called. `handle(event)` returns an
    // awaitable of the machine's verdict. The stream is not closed here. What keeps the pump alive while a read is
    // outstanding is `owner`.
    template <class Handler>
    awaitable<void> run(std::shared_ptr<void> owner, Handler& handle) {
        while (true) {
            machine_.tick(std::chrono::steady_clock::now());
            while (machine_.to_send().size() < wire::output_high_water_bytes) {
                auto event = machine_.next_event();
                if (!event) break;
                auto verdict = co_await handle(std::move(*event));
                machine_.answer(std::move(verdict));
            }
            if (const auto pending = machine_.to_send(); !pending.empty()) {
                if (lost_ || !co_await write(pending)) co_return;
                machine_.sent(pending.size());
                continue;
            }
            if (machine_.finished()) co_return;
            if (ending_ && machine_.wants_input()) {
                if (!lost_ && !farewell_.empty()) co_await write(as_bytes(farewell_));
                co_return;
            }
            if (lost_ && !told_end_) {
                told_end_ = true;
                machine_.input_ended();
                continue;
            }
            if (machine_.wants_input() && !reading_ && !lost_) read(owner);
            if (!woken_) co_await sleep();
            woken_ = false;
        }
    }

    void wake() {
        woken_ = true;
        waker_.cancel();
    }
    // Ends the session at the next moment it waits for the client, with these bytes as last word.
    void end(std::string farewell) {
        ending_ = true;
        farewell_ = std::move(farewell);
        wake();
    }
    bool lost() const { return lost_; }

private:
    awaitable<bool> write(bytes_view data) {
        asio::steady_timer stall(stream_.executor(), write_stall_limit);
        stall.async_wait([this](error_code ec) {
            if (!ec) stream_.close();
        });
        if (rawlog_) rawlog_->out(data);
        const auto ec = co_await stream_.write(data);
        if (ec) lost_ = true;
        co_return !ec;
    }

    void read(const std::shared_ptr<void>& owner) {
        reading_ = true;
        if (buffer_.empty()) buffer_.resize(read_idle_bytes);
        stream_.async_read_some(buffer_, [this, owner](error_code ec, std::size_t n) {
            reading_ = false;
            if (ec) {
                lost_ = true;
            } else {
                if (rawlog_) rawlog_->in(bytes_view(buffer_).first(n));
                machine_.received(bytes_view(buffer_).first(n));
                if (n == buffer_.size() && n < read_bulk_bytes)
                    buffer_.resize(read_bulk_bytes);
                else if (n < read_idle_bytes && buffer_.size() > read_idle_bytes)
                    bytes(read_idle_bytes).swap(buffer_);
            }
            wake();
        });
    }

    awaitable<void> sleep() {
        const auto deadline = machine_.deadline();
        waker_.expires_at(deadline ? *deadline : wire::time_point::max());
        auto [ec] = co_await waker_.async_wait(as_result);
        (void)ec;   // cancelled: woken; expired: the machine is ticked
    }

    any_stream& stream_;
    Machine& machine_;
    asio::steady_timer waker_;
    bytes buffer_;
    std::string farewell_;
    std::unique_ptr<services::rawlog> rawlog_;
    bool reading_ = false, lost_ = false, told_end_ = false, woken_ = false, ending_ = false;
};

}  // namespace pp::net

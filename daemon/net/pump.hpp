// One connection and one protocol machine, joined: the only loop that moves bytes for every protocol (02-architecture
// 2.2). The handler answers the machine's events; the pump reads only while no question is open, so a slow store slows
// the client and nothing piles up. It reads while it writes:
// two peers that both send in bulk never wait for each other.
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
inline constexpr auto turn_time = std::chrono::milliseconds(10);     // of one command, before the others get the thread
inline constexpr auto write_stall_limit = std::chrono::minutes(5);   // a client that reads nothing for so long is cut

template <class Machine>
class pump {
public:
    pump(any_stream& stream, Machine& machine)
        : stream_(stream), machine_(machine), waker_(stream.executor()), stall_(stream.executor()) {}
    pump(const pump&) = delete;
    pump& operator=(const pump&) = delete;
    // Copies what passes into a raw session log, when there is one.
    void tap(std::unique_ptr<services::rawlog> log) { rawlog_ = std::move(log); }

    // Runs until the machine has finished, the connection is gone, or end() was called. `handle(event)` returns an
    // awaitable of the machine's verdict. The stream is not closed here. `owner` keeps pump, machine and stream alive
    // while a read or write is outstanding.
    template <class Handler>
    awaitable<void> run(std::shared_ptr<void> owner, Handler& handle) {
        owner_ = owner;
        const forgetting forget(owner_);
        while (true) {
            const auto began = std::chrono::steady_clock::now();
            machine_.tick(began);
            bool tired = false;
            while (machine_.to_send().size() < wire::output_high_water_bytes && !tired) {
                auto event = machine_.next_event();
                if (!event) break;
                auto verdict = co_await handle(std::move(*event));
                machine_.answer(std::move(verdict));
                const auto now = std::chrono::steady_clock::now();
                machine_.tick(now);   // a long command looks at the clock between its questions
                tired = now - began >= turn_time;
            }
            if (!writing_ && !machine_.to_send().empty() && !lost_) {
                write(machine_.take_output());
                if (!tired) continue;   // what waited for room may go on
            }
            if (tired) {   // the other connections of this thread, and the write that was begun
                co_await asio::post(stream_.executor(), asio::use_awaitable);
                continue;
            }
            if (machine_.finished() && !writing_) break;
            if (lost_) {
                if (told_end_) break;
                told_end_ = true;
                machine_.input_ended();
                continue;
            }
            if (ending_ && machine_.wants_input() && !writing_) {
                if (farewell_.empty()) break;
                write(to_bytes(std::exchange(farewell_, {})));
            }
            if (machine_.wants_input() && !reading_) read();
            if (!woken_) co_await sleep();
            woken_ = false;
        }
    }

    // Writes all the machine has said; false when the connection is gone. From within a handler, for STARTTLS.
    awaitable<bool> flush() {
        while ((writing_ || !machine_.to_send().empty()) && !lost_) {
            if (!writing_) write(machine_.take_output());
            if (!woken_) co_await sleep();
            woken_ = false;
        }
        co_return !lost_;
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
    // As end(), but when the session does not wait for its client, who may never read, it is cut at once.
    void cut(std::string farewell) {
        if (machine_.wants_input() && !writing_)
            end(std::move(farewell));
        else
            stream_.close();
    }

private:
    // The owner holds the pump: also when the loop ends with a run() that still waits, the two may not hold each other.
    struct forgetting {
        explicit forgetting(std::shared_ptr<void>& of_pump) : owner(of_pump) {}
        forgetting(const forgetting&) = delete;
        forgetting& operator=(const forgetting&) = delete;
        ~forgetting() { owner.reset(); }   // run() itself holds one until it is gone
        std::shared_ptr<void>& owner;
    };

    void write(bytes data) {
        writing_ = true;
        out_ = std::move(data);
        if (rawlog_) rawlog_->out(out_);
        stall_.expires_after(write_stall_limit);
        stall_.async_wait([this, owner = owner_](error_code ec) {
            if (!ec && writing_) stream_.close();
        });
        stream_.async_write(out_, [this, owner = owner_](error_code ec) {
            writing_ = false;
            stall_.cancel();
            bytes().swap(out_);
            if (ec) lost_ = true;
            wake();
        });
    }

    void read() {
        reading_ = true;
        if (in_.empty()) in_.resize(read_idle_bytes);
        stream_.async_read_some(in_, [this, owner = owner_](error_code ec, std::size_t n) {
            reading_ = false;
            if (ec) {
                lost_ = true;
            } else {
                if (rawlog_) rawlog_->in(bytes_view(in_).first(n));
                machine_.received(bytes_view(in_).first(n));
                if (n == in_.size() && n < read_bulk_bytes)
                    in_.resize(read_bulk_bytes);
                else if (n < read_idle_bytes && in_.size() > read_idle_bytes)
                    bytes(read_idle_bytes).swap(in_);
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
    asio::steady_timer waker_, stall_;
    std::shared_ptr<void> owner_;
    bytes in_, out_;
    std::string farewell_;
    std::unique_ptr<services::rawlog> rawlog_;
    bool reading_ = false, writing_ = false, lost_ = false, told_end_ = false, woken_ = false, ending_ = false;
};

}  // namespace pp::net

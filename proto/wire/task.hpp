// A coroutine type for protocol machines: lets a command be read from top to bottom although it stops at every question
// it puts to the daemon and at every byte it waits for. Knows no thread, no clock and no socket.
//
// Resumption goes through a trampoline (runner) instead of symmetric transfer: g++ 12 makes no tail call at -O0, so a
// loop over a hundred thousand awaited children would otherwise overflow the stack.
//
// Compiler rule (02-architecture 2.8): the argument of a co_await call is a name, std::move(name), a plain value or a
// function call, never an aggregate built in braces there: g++ 12 destroys it twice.
#pragma once

#include "crypto/assert.hpp"

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace pp::wire {

// Resumes coroutines one after the other on one stack frame.
class runner {
public:
    void schedule(std::coroutine_handle<> next) { next_ = next; }
    void run() {
        while (next_) std::exchange(next_, nullptr).resume();
    }

private:
    std::coroutine_handle<> next_;
};

template <class T = void>
class task;

namespace detail {

struct promise_base {
    runner* trampoline = nullptr;
    std::coroutine_handle<> parent;

    std::suspend_always initial_suspend() noexcept { return {}; }
    struct back_to_parent {
        bool await_ready() noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> done) noexcept {
            if (done.promise().parent) done.promise().trampoline->schedule(done.promise().parent);
        }
        void await_resume() noexcept {}
    };
    back_to_parent final_suspend() noexcept { return {}; }
    void unhandled_exception() { std::terminate(); }   // machines do not throw: bad input is an event or a reply
};

template <class T>
struct promise : promise_base {
    std::optional<T> value;
    task<T> get_return_object();
    template <class U>
    void return_value(U&& result) { value.emplace(std::forward<U>(result)); }
    T take() { return std::move(*value); }
};

template <>
struct promise<void> : promise_base {
    task<void> get_return_object();
    void return_void() {}
    void take() {}
};

}  // namespace detail

// Owns a coroutine that has not started or is suspended. Awaiting it starts it; the awaiting coroutine goes on when it
// has returned. Destroying it destroys everything it awaits.
template <class T>
class [[nodiscard]] task {
public:
    using promise_type = detail::promise<T>;

    task() = default;
    explicit task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~task() {
        if (frame_) frame_.destroy();
    }

    bool done() const { return !frame_ || frame_.done(); }
    // For the owner of the outermost task: names the trampoline and makes it the next to run.
    void start(runner& trampoline) {
        frame_.promise().trampoline = &trampoline;
        trampoline.schedule(frame_);
    }

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> awaiting) {
        frame_.promise().parent = awaiting;
        frame_.promise().trampoline = awaiting.promise().trampoline;
        frame_.promise().trampoline->schedule(frame_);
    }
    T await_resume() { return frame_.promise().take(); }

private:
    std::coroutine_handle<promise_type> frame_;
};

namespace detail {
template <class T>
task<T> promise<T>::get_return_object() {
    return task<T>(std::coroutine_handle<promise<T>>::from_promise(*this));
}
inline task<void> promise<void>::get_return_object() {
    return task<void>(std::coroutine_handle<promise<void>>::from_promise(*this));
}
}  // namespace detail

}  // namespace pp::wire

// The session contract (02-architecture 2.2) as a base class: every protocol machine of peerpost is a dialogue.
//
//   outside calls            received(bytes) - next_event() - answer(x) - to_send() / sent(n)
//                            news() - tick(now) / deadline() - input_ended() - finished()
//   a machine (a coroutine)  co_await more_input() - co_await ask(event) - co_await drained() - send(text)
//
// An event type E names the type of its verdict: `using answer_type = ...;`. At most one event is open at a time, and
// while it is the pump does not read: back-pressure for free. One owner, one thread.
#pragma once

#include "crypto/assert.hpp"
#include "crypto/bytes.hpp"
#include "proto/wire/task.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <variant>

namespace pp::wire {

using time_point = std::chrono::steady_clock::time_point;   // always given from outside

// Why a machine that waited goes on.
enum class woken { input, ended, timeout, news, drained };

// Bytes that wait to be written above which drained() makes a machine wait. One TLS record is 16 KiB.
inline constexpr std::size_t output_high_water_bytes = 64 * 1024;

// Input that has come and is not used yet; cheap to take from the front.
class input_buffer {
public:
    void append(bytes_view in);
    bytes_view view() const { return bytes_view(bytes_).subspan(used_); }
    std::string_view text() const { return as_text(view()); }
    std::size_t size() const { return bytes_.size() - used_; }
    bool empty() const { return size() == 0; }
    void consume(std::size_t n);
    bytes take();     // everything, leaving it empty
    void release();   // gives memory back when empty: an idle session holds no buffer

private:
    bytes bytes_;
    std::size_t used_ = 0;
};

template <class Event, class Answer>
class dialogue {
public:
    dialogue() = default;
    dialogue(const dialogue&) = delete;
    dialogue& operator=(const dialogue&) = delete;
    virtual ~dialogue() = default;

    void received(bytes_view in) {
        input_.append(in);
        input_is_new_ = true;
    }
    void input_ended() { ended_ = true; }

    // Runs the machine until it asks something or nothing can move. The event stays open until answer().
    std::optional<Event> next_event() {
        PP_ASSERT(!event_open_);
        if (!started_) {
            started_ = true;
            conversation_ = converse();
            conversation_.start(runner_);
            runner_.run();
        }
        while (!event_ && suspended_ && ready()) {
            runner_.schedule(std::exchange(suspended_, nullptr));
            runner_.run();
        }
        if (!event_) return std::nullopt;
        event_open_ = true;
        std::optional<Event> taken(std::move(*event_));
        event_.reset();
        return taken;
    }
    // The verdict on the open event; its type must be that event's answer_type.
    void answer(Answer verdict) {
        PP_ASSERT(event_open_);
        event_open_ = false;
        answer_.emplace(std::move(verdict));
    }

    bytes_view to_send() const { return output_.view(); }
    void sent(std::size_t n) {
        output_.consume(n);
        if (output_.empty()) output_.release();
    }

    // All of to_send() at once, as sent: for a pump that reads while it writes.
    bytes take_output() { return output_.take(); }

    void news() { news_ = true; }                    // something changed elsewhere that this session may have to tell
    void tick(time_point now) { now_ = now; }
    // When tick() moves the machine by itself. nullopt when time alone changes nothing: while it waits for an answer,
    // for its output to be read, or is over, and while so much waits to be sent that a pump asks it for nothing more. A
    // pump that woke up then would find nothing to do, and spin.
    std::optional<time_point> deadline() const {
        const bool moves = suspended_ && waiting_for_ == waiting::input && output_.size() < output_high_water_bytes;
        return moves ? deadline_ : std::nullopt;
    }
    // True when the conversation is over and everything is sent: the connection is to be closed.
    bool finished() const { return started_ && conversation_.done() && output_.empty(); }
    // True when the machine waits for bytes: the pump reads only then.
    bool wants_input() const { return suspended_ && waiting_for_ == waiting::input && !ended_; }

protected:
    virtual task<> converse() = 0;   // the whole life of the session; its return ends it

    struct [[nodiscard]] input_awaiter {
        dialogue& self;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) {
            self.input_is_new_ = false;
            self.input_.release();
            self.suspend(h, waiting::input);
        }
        woken await_resume() {
            if (self.input_is_new_) return woken::input;
            if (self.ended_) return woken::ended;
            if (self.listens_to_news_ && self.news_) {
                self.news_ = false;
                return woken::news;
            }
            if (self.listens_to_drain_ && self.output_.size() < output_high_water_bytes) return woken::drained;
            return woken::timeout;
        }
    };
    template <class Reply>
    struct [[nodiscard]] ask_awaiter {
        dialogue& self;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) { self.suspend(h, waiting::answer); }
        Reply await_resume() {
            PP_ASSERT(std::holds_alternative<Reply>(*self.answer_));
            Reply reply = std::get<Reply>(std::move(*self.answer_));
            self.answer_.reset();
            return reply;
        }
    };
    struct [[nodiscard]] drain_awaiter {
        dialogue& self;
        bool await_ready() const noexcept { return self.output_.size() < output_high_water_bytes; }
        void await_suspend(std::coroutine_handle<> h) { self.suspend(h, waiting::drain); }
        void await_resume() const noexcept {}
    };

    // Waits until more bytes have come, the input has ended, the deadline has passed or (when listened to) there is
    // news. Look at input() first: this waits for bytes beyond those that are there already.
    input_awaiter more_input() { return input_awaiter{*this}; }
    // Puts a question to the daemon. The event must be a named object: co_await ask(std::move(question)).
    template <class E>
    ask_awaiter<typename E::answer_type> ask(E question) {
        event_.emplace(std::move(question));
        return ask_awaiter<typename E::answer_type>{*this};
    }
    // Waits until fewer than output_high_water_bytes wait to be written.
    drain_awaiter drained() { return drain_awaiter{*this}; }

    void send(std::string_view text) { output_.append(as_bytes(text)); }
    void send(bytes_view data) { output_.append(data); }
    void listen_to_news(bool on) { listens_to_news_ = on; }
    // For machines that send in bulk while they read: more_input() also ends when there is room for output again.
    // Switch it on only while more waits to be sent, or the machine spins.
    void listen_to_drain(bool on) { listens_to_drain_ = on; }
    bool has_news() const { return news_; }
    void clear_news() { news_ = false; }
    void set_deadline(std::optional<time_point> at) { deadline_ = at; }
    time_point now() const { return now_; }
    input_buffer& input() { return input_; }
    bool ended() const { return ended_; }

private:
    enum class waiting { input, answer, drain };

    void suspend(std::coroutine_handle<> h, waiting what) {
        suspended_ = h;
        waiting_for_ = what;
    }
    bool ready() const {
        switch (waiting_for_) {
        case waiting::answer: return answer_.has_value();
        case waiting::drain: return output_.size() < output_high_water_bytes;
        case waiting::input:
            return input_is_new_ || ended_ || (listens_to_news_ && news_) ||
                   (listens_to_drain_ && output_.size() < output_high_water_bytes) || (deadline_ && now_ >= *deadline_);
        }
        return false;
    }

    input_buffer input_;
    input_buffer output_;
    std::optional<Event> event_;
    std::optional<Answer> answer_;
    std::optional<time_point> deadline_;
    time_point now_{};
    bool started_ = false, event_open_ = false, ended_ = false, input_is_new_ = false;
    bool news_ = false, listens_to_news_ = false, listens_to_drain_ = false;
    waiting waiting_for_ = waiting::input;
    std::coroutine_handle<> suspended_;
    runner runner_;
    task<> conversation_;   // locals of a conversation must not touch members of the machine in their destructors
};

}  // namespace pp::wire

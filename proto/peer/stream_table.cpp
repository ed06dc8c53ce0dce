#include "proto/peer/stream_table.hpp"

#include "crypto/assert.hpp"
#include "proto/wire/byte_reader.hpp"

#include <algorithm>

namespace pp::peer {
namespace {

// Reads a frame's only u32; nullopt for another length.
std::optional<std::uint32_t> only_u32(bytes_view payload) {
    wire::byte_reader reader(payload);
    const auto value = reader.u32();
    if (!reader.complete()) return std::nullopt;
    return value;
}

void put_u32_frame(wire::byte_writer& out, frame_type type, std::uint32_t stream, std::uint32_t value) {
    wire::byte_writer payload;
    payload.u32(value);
    put_frame(out, type, stream, payload.view());
}

errc as_error(std::uint32_t code) {
    switch (static_cast<end_code>(code)) {
    case end_code::unknown_protocol: return errc::unknown_protocol;
    case end_code::too_large: return errc::too_large;
    default: return errc::link_lost;
    }
}

}  // namespace

stream_table::stream_table(bool dialler) : dialler_(dialler), next_number_(dialler ? 1 : 2) {}

stream_table::~stream_table() {
    for (auto& [number, s] : theirs_) held_bytes::of_this_thread().set(s.held, *this, number, 0);
}

void stream_table::note_held(std::uint32_t number, stream& s) {
    if (!is_ours(number))
        held_bytes::of_this_thread().set(s.held, *this, number, s.in.message.size() + s.out.message.size());
}

void stream_table::give_up(std::uint32_t number) { reset(number, end_code::refused); }

// ---------------------------------------------------------------- from outside
std::uint64_t stream_table::ask(std::string_view protocol, bytes message, std::size_t answer_bytes_max) {
    const auto request = next_request_++;
    const auto* limits = find_protocol(protocol);
    if (!limits) fail(request, errc::unknown_protocol);
    else if (message.size() > limits->request_bytes_max) fail(request, errc::too_large);
    else if (closed_to_us_) fail(request, errc::link_lost);
    else {
        auto most = limits->reply_bytes_max;
        if (answer_bytes_max != 0) most = std::min(most, answer_bytes_max);
        (limits->bulk ? waiting_bulk_ : waiting_).push_back({request, limits, std::move(message), most});
    }
    return request;
}

std::optional<stream_table::asked> stream_table::next_request() {
    auto* queue = &whole_;
    if (queue->empty()) {
        queue = &whole_bulk_;
        const auto most = held_bytes::of_this_thread().is_scarce() ? 1 : waiting_reply_bytes_max;
        if (queue->empty() || reply_bytes_waiting_ >= most) return std::nullopt;
    }
    asked out;
    out.stream = queue->front();
    queue->pop_front();
    auto& s = theirs_.at(out.stream);
    out.protocol = s.protocol->name;
    out.message = std::move(s.in.message);
    s.in.message = bytes();   // not = {}, which keeps the memory
    note_held(out.stream, s);
    return out;
}

void stream_table::answer(std::uint32_t number, bytes reply) {
    auto* s = find(number);
    if (!s) return;   // reset while the daemon thought about it
    if (reply.size() > s->protocol->reply_bytes_max) {
        reset(number, end_code::too_large);
        return;
    }
    reply_bytes_waiting_ += reply.size();
    s->out.message = std::move(reply);
    s->out.ready = true;
    note_held(number, *s);
    held_bytes::of_this_thread().make_room();
}

std::optional<stream_table::outcome> stream_table::next_outcome() {
    if (outcomes_.empty()) return std::nullopt;
    std::optional<outcome> out(std::move(outcomes_.front()));
    outcomes_.pop_front();
    return out;
}

void stream_table::stop_opening(errc why) {
    closed_to_us_ = true;
    for (auto* queue : {&waiting_, &waiting_bulk_}) {
        for (const auto& w : *queue) fail(w.request, why);
        queue->clear();
    }
}

void stream_table::fail_all(errc why) {
    for (const auto& [number, s] : ours_) fail(s.request, why);
    ours_.clear();
    bulk_open_ = bulk_answers_bytes_ = 0;
    stop_opening(why);
}

void stream_table::fail(std::uint64_t request, errc why) { outcomes_.push_back({request, why}); }

// ---------------------------------------------------------------- frames that came
stream_table::stream* stream_table::find(std::uint32_t number) {
    auto& table = is_ours(number) ? ours_ : theirs_;
    const auto it = table.find(number);
    return it == table.end() ? nullptr : &it->second;
}

bool stream_table::was_opened(std::uint32_t number) const {
    if (number == 0) return false;
    return is_ours(number) ? number < next_number_ : number <= last_of_theirs_;
}

result<void> stream_table::take(const frame& f) {
    switch (static_cast<frame_type>(f.type)) {
    case frame_type::open: return opened(f);
    case frame_type::data: return data(f);
    case frame_type::credit: return credited(f);
    case frame_type::fin: return finished(f);
    case frame_type::reset: return was_reset(f);
    default: return errc::bad_frame;
    }
}

result<void> stream_table::opened(const frame& f) {
    if (f.stream == 0 || is_ours(f.stream) || f.stream <= last_of_theirs_) return errc::bad_frame;
    wire::byte_reader reader(f.payload);
    const auto name = reader.text8(255);
    if (!reader.complete()) return errc::bad_frame;
    last_of_theirs_ = f.stream;
    if (refusing_) {
        say_reset(f.stream, end_code::going_away);
        return {};
    }
    const auto* limits = find_protocol(name);
    if (!limits) {   // this stream only: a newer peer may ask for more than we know
        say_reset(f.stream, end_code::unknown_protocol);
        return {};
    }
    if (theirs_.size() >= open_streams_max) return errc::too_many_streams;
    const auto alike = [limits](const auto& one) { return one.second.protocol == limits; };
    if (limits->request_bytes_max > large_request_bytes &&
        static_cast<std::size_t>(std::count_if(theirs_.begin(), theirs_.end(), alike)) >= large_request_streams_max) {
        say_reset(f.stream, end_code::refused);
        return {};
    }
    auto& s = theirs_[f.stream];
    s.protocol = limits;
    s.in.bytes_max = limits->request_bytes_max;
    return {};
}

result<void> stream_table::use_link_credit(std::size_t n) {
    if (n > receive_credit_) return errc::credit_exceeded;
    receive_credit_ -= n;
    receive_used_ += n;
    if (receive_used_ >= link_credit_bytes / 2) {
        put_u32_frame(control_, frame_type::credit, 0, static_cast<std::uint32_t>(receive_used_));
        receive_credit_ += std::exchange(receive_used_, 0);
    }
    return {};
}

result<void> stream_table::data(const frame& f) {
    if (f.payload.empty() || !was_opened(f.stream)) return errc::bad_frame;
    if (const auto paid = use_link_credit(f.payload.size()); !paid) return paid.error();
    auto* s = find(f.stream);
    if (!s) return after_the_end(f.stream);
    auto& in = s->in;
    if (in.whole) return errc::bad_frame;
    if (f.payload.size() > in.credit) return errc::credit_exceeded;
    if (f.payload.size() > in.bytes_max - in.message.size()) {
        if (is_ours(f.stream)) fail(s->request, errc::too_large);
        reset(f.stream, end_code::too_large);
        return {};
    }
    in.credit -= f.payload.size();
    in.used += f.payload.size();
    if (const auto needed = in.message.size() + f.payload.size(); needed > in.message.capacity())
        // no more than it may be
        in.message.reserve(std::min(in.bytes_max, std::max(needed, 2 * in.message.capacity())));
    in.message.insert(in.message.end(), f.payload.begin(), f.payload.end());
    note_held(f.stream, *s);
    if (in.used >= stream_credit_bytes / 2) {
        put_u32_frame(control_, frame_type::credit, f.stream, static_cast<std::uint32_t>(in.used));
        in.credit += std::exchange(in.used, 0);
    }
    held_bytes::of_this_thread().make_room();   // s may be gone
    return {};
}

result<void> stream_table::credited(const frame& f) {
    const auto amount = only_u32(f.payload);
    if (!amount || *amount == 0) return errc::bad_frame;
    if (f.stream != 0 && !was_opened(f.stream)) return errc::bad_frame;
    auto* s = f.stream == 0 ? nullptr : find(f.stream);
    if (f.stream != 0 && !s) return {};
    auto& credit = s ? s->out.credit : send_credit_;
    if (*amount > credit_bytes_max - credit) return errc::credit_exceeded;
    credit += *amount;
    return {};
}

// DATA or FIN on a stream that is open no more: of one that was reset they may have been under way, of one that ended
// otherwise the other side had said FIN.
result<void> stream_table::after_the_end(std::uint32_t number) const {
    return has_finished(number) ? result<void>(errc::bad_frame) : result<void>();
}

result<void> stream_table::finished(const frame& f) {
    if (!f.payload.empty() || !was_opened(f.stream)) return errc::bad_frame;
    auto* s = find(f.stream);
    if (!s) return after_the_end(f.stream);
    if (s->in.whole) return errc::bad_frame;
    s->in.whole = true;
    if (!is_ours(f.stream)) {
        (s->protocol->bulk ? whole_bulk_ : whole_).push_back(f.stream);
        return {};
    }
    outcomes_.push_back({s->request, std::move(s->in.message)});
    // An answer before the request was written to its end: the rest of it is of no use to anybody.
    if (!s->sent_all) reset(f.stream, end_code::done);
    else forget(f.stream);
    return {};
}

result<void> stream_table::was_reset(const frame& f) {
    const auto code = only_u32(f.payload);
    if (!code || !was_opened(f.stream)) return errc::bad_frame;
    auto* s = find(f.stream);
    if (!s) return {};
    if (is_ours(f.stream)) fail(s->request, as_error(*code));
    note_reset(f.stream);
    forget(f.stream);
    return {};
}

void stream_table::reset(std::uint32_t number, end_code why) {
    say_reset(number, why);
    forget(number);
}

void stream_table::say_reset(std::uint32_t number, end_code why) {
    put_u32_frame(control_, frame_type::reset, number, static_cast<std::uint32_t>(why));
    note_reset(number);
}

void stream_table::note_reset(std::uint32_t number) {
    if (resets_.size() == resets_remembered) {
        auto& oldest = resets_forgotten_to_[is_ours(resets_.front())];
        oldest = std::max(oldest, resets_.front());
        resets_.pop_front();
    }
    resets_.push_back(number);
}

bool stream_table::has_finished(std::uint32_t number) const {
    return number > resets_forgotten_to_[is_ours(number)] &&
           std::find(resets_.begin(), resets_.end(), number) == resets_.end();
}

void stream_table::forget(std::uint32_t number) {
    auto& table = is_ours(number) ? ours_ : theirs_;
    const auto it = table.find(number);
    if (is_ours(number)) {
        if (it->second.protocol->bulk) {
            --bulk_open_;
            bulk_answers_bytes_ -= it->second.in.bytes_max;
        }
    } else {
        reply_bytes_waiting_ -= it->second.out.left();
        held_bytes::of_this_thread().set(it->second.held, *this, number, 0);
        for (auto* queue : {&whole_, &whole_bulk_})
            queue->erase(std::remove(queue->begin(), queue->end(), number), queue->end());
    }
    table.erase(it);
}

// ---------------------------------------------------------------- frames to write
bool stream_table::may_open_bulk(const waiting_request& next) const {
    if (bulk_open_ == 0) return true;
    if (bulk_open_ == bulk_streams_max) return false;
    if (next.answer_bytes_max > bulk_answers_bytes_max - bulk_answers_bytes_) return false;
    const auto is_large = [](const auto& one) { return one.second.protocol->request_bytes_max > large_request_bytes; };
    return next.protocol->request_bytes_max <= large_request_bytes ||
           static_cast<std::size_t>(std::count_if(ours_.begin(), ours_.end(), is_large)) < large_request_streams_max;
}

void stream_table::open_waiting() {
    while (ours_.size() < open_streams_max) {
        auto* queue = &waiting_;
        if (queue->empty()) {
            queue = &waiting_bulk_;
            if (queue->empty() || !may_open_bulk(queue->front())) return;
        }
        if (next_number_ > stream_number_max) {   // eight million requests: the next one needs a new link
            stop_opening(errc::link_lost);
            return;
        }
        auto next = std::move(queue->front());
        queue->pop_front();
        const auto number = next_number_;
        next_number_ += 2;
        auto& s = ours_[number];
        s.protocol = next.protocol;
        s.request = next.request;
        s.in.bytes_max = next.answer_bytes_max;
        s.out.message = std::move(next.message);
        s.out.ready = true;
        if (s.protocol->bulk) {
            ++bulk_open_;
            bulk_answers_bytes_ += s.in.bytes_max;
        }
        wire::byte_writer name;
        name.text8(s.protocol->name, 255);
        put_frame(control_, frame_type::open, number, name.view());
    }
}

bool stream_table::can_write(const stream& s, bool bulk) const {
    if (!s.out.ready || s.sent_all || s.protocol->bulk != bulk) return false;
    return s.out.left() == 0 || (s.out.credit > 0 && send_credit_ > 0);
}

void stream_table::write_piece(wire::byte_writer& out, std::uint32_t number, stream& s) {
    const auto n = std::min({s.out.left(), s.out.credit, send_credit_, sent_payload_bytes_max});
    if (n > 0) {
        put_frame(out, frame_type::data, number, bytes_view(s.out.message).subspan(s.out.sent, n));
        s.out.sent += n;
        s.out.credit -= n;
        send_credit_ -= n;
        if (!is_ours(number)) reply_bytes_waiting_ -= n;
    }
    if (s.out.left() > 0) return;
    put_frame(out, frame_type::fin, number);
    s.sent_all = true;
    s.out.message = bytes();
    s.out.sent = 0;
    if (!is_ours(number)) forget(number);
}

// One frame for the stream whose turn it is: numbers of both sides in one circle.
bool stream_table::write_one(wire::byte_writer& out, bool bulk) {
    auto& last = last_written_[bulk ? 1 : 0];
    std::uint32_t best = 0;
    std::uint32_t best_distance = 0;
    for (auto* table : {&ours_, &theirs_})
        for (const auto& [number, s] : *table) {
            if (!can_write(s, bulk)) continue;
            const auto distance = (number - last - 1) & stream_number_max;
            if (best == 0 || distance < best_distance) {
                best = number;
                best_distance = distance;
            }
        }
    if (best == 0) return false;
    last = best;
    write_piece(out, best, *find(best));
    return true;
}

void stream_table::write(wire::byte_writer& out, std::size_t budget) {
    open_waiting();
    out.raw(control_.take());
    control_ = {};
    while (out.size() < budget && (write_one(out, false) || write_one(out, true))) {
    }
}

}  // namespace pp::peer

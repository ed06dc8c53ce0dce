// The link machine: HELLO, then frames in both directions until one side goes (SPEC.md, "Life of a link"). What streams
// do is in stream_table; here are time, questions to the daemon and the end.
#include "proto/peer/session.hpp"

#include "proto/peer/layout.hpp"
#include "proto/peer/stream_table.hpp"

#include <algorithm>

namespace pp::peer {
namespace {

using namespace std::chrono_literals;

// 04-network 5.2 and 5.7
constexpr auto hello_timeout = 5s;
constexpr auto ping_after = 25s;
// While a stream is open. Of a way that is gone TCP knows only when there is something that nobody acknowledges
// (daemon/net/connect.hpp), and who waits for an answer, or for credit to go on with one, has nothing under way.
constexpr auto ping_after_when_waiting = 3s;
// Also while something is heard: the other side may hear nothing else of us for as long as what it sends takes on a
// slow line, and the PONG to its PING stands behind that.
constexpr auto sign_of_life_after = 5s;
constexpr auto dead_after = 60s;
// While an answer is awaited: whoever runs at all answers a PING, and what is asked for is to be had elsewhere - at
// another relay, or over a new link.
constexpr auto dead_after_when_asked = 20s;
// How long a side that goes waits for the other's GOAWAY, so that its last answer is not lost with the connection; and
// for a word of it while an answer is awaited still: there is a better link, or will be, and the old one may be dead.
constexpr auto parting_timeout = 5s;
constexpr auto ping_after_when_parting = 2s;
constexpr std::size_t ping_payload_bytes_max = 64;
constexpr std::size_t away_reason_bytes_max = 200;
constexpr std::uint16_t protocol_version = 1;
// Answers to PING, CREDIT and RESET may go this far beyond the high water before the machine stops reading.
constexpr std::size_t control_slack_bytes = 64 * 1024;

}  // namespace

struct session::state {
    explicit state(link_options o) : options(std::move(o)), streams(options.dialler) {}

    // HELLO is right: signatures, dates, versions and who it is. The reason why not is for our log.
    result<void> check(const hello& theirs) const {
        if (theirs.version_min > protocol_version || theirs.version_max < protocol_version)
            return errc::unknown_version;
        if (const auto good = verify(theirs.mine, options.now); !good) return good.error();
        if (theirs.mine.device != options.peer_device) return errc::wrong_peer;
        if (options.expected && theirs.mine.account != *options.expected) return errc::wrong_peer;
        if (options.dialler && theirs.wanted) return errc::bad_message;   // only who dials wants somebody
        const auto record = decode_account_record(theirs.record);
        if (!record) return record.error();
        if (record->account != theirs.mine.account) return errc::wrong_peer;
        return verify(*record, options.now);
    }

    void end(bool is_violation, std::string why, errc error = errc::link_lost) {
        if (over) return;
        over = true;
        violation = is_violation;
        reason = std::move(why);
        request_error = error;
    }

    link_options options;
    stream_table streams;
    bool ready = false, over = false, violation = false;
    std::string reason;
    errc request_error = errc::link_lost;
    bool going = false, said_goodbye = false, peer_going = false;
    wire::time_point heard_at{}, parting_at{}, pinged_at{};
    // Since when something is open, since when we wait for answers, and since when one of us goes; nothing: no, nobody.
    std::optional<wire::time_point> waiting_since, asked_since, parting_since;

    bool is_parting() const { return going || peer_going; }
    void note_what_is_open(wire::time_point now) {
        const auto note = [now](bool holds, auto& since) {
            if (!holds) since.reset();
            else if (!since) since = now;
        };
        note(streams.has_open(), waiting_since);
        note(streams.open_requests() > 0, asked_since);
        if (is_parting() && !parting_since) parting_since = now;
    }
    // Whoever goes and owes us an answer is given up soon: it is to be asked for over another link.
    bool is_owed_in_parting() const { return parting_since && streams.open_requests() > 0; }
    wire::time_point dead_at() const {
        auto dead = heard_at + dead_after;
        if (asked_since) dead = std::min(dead, std::max(heard_at, *asked_since) + dead_after_when_asked);
        if (is_owed_in_parting()) dead = std::min(dead, std::max(heard_at, *parting_since) + parting_timeout);
        return dead;
    }
    wire::time_point ping_at() const {
        const auto last = std::max(heard_at, pinged_at);
        if (is_owed_in_parting()) return std::max(last, *parting_since) + ping_after_when_parting;
        const auto idle = last + ping_after;
        if (!waiting_since) return idle;
        return std::min({idle, std::max(last, *waiting_since) + ping_after_when_waiting,
                         std::max(pinged_at, *waiting_since) + sign_of_life_after});
    }
};

session::session(link_options options) : state_(std::make_unique<state>(std::move(options))) {}
session::~session() = default;

std::uint64_t session::ask_peer(std::string_view protocol, bytes message, std::size_t answer_bytes_max) {
    return state_->streams.ask(protocol, std::move(message), answer_bytes_max);
}
void session::go_away() {
    state_->going = true;
    state_->streams.refuse_new();
}
bool session::ready() const { return state_->ready && !state_->over; }
bool session::takes_requests() const { return ready() && state_->streams.takes_requests(); }
std::size_t session::open_requests() const { return state_->streams.open_requests(); }

namespace {

bytes away_frame(end_code code, std::string_view reason) {
    wire::byte_writer payload, out;
    payload.u32(static_cast<std::uint32_t>(code)).text8(reason, away_reason_bytes_max);
    put_frame(out, frame_type::go_away, 0, payload.view());
    return out.take();
}

bytes hello_frame(const hello& mine) {
    wire::byte_writer out;
    put_frame(out, frame_type::hello, 0, encode(mine));
    return out.take();
}

// nullopt when the payload is no GOAWAY.
std::optional<std::string> away_reason(bytes_view payload) {
    wire::byte_reader reader(payload);
    reader.u32();
    auto reason = reader.text8(away_reason_bytes_max);
    if (!reader.complete()) return std::nullopt;
    return reason;
}

}  // namespace

wire::task<> session::converse() {
    state& s = *state_;
    s.heard_at = now();
    listen_to_news(true);
    if (co_await meet()) co_await serve();
    co_await part();
}

wire::task<bool> session::meet() {
    state& s = *state_;
    set_deadline(now() + hello_timeout);
    if (s.options.dialler) {
        PP_ASSERT(s.options.mine.has_value());
        send(hello_frame(*s.options.mine));
    }
    for (;;) {
        const auto next = next_frame(input().view());
        if (!next) {
            s.end(true, next.error().message());
            co_return false;
        }
        if (*next) {
            const frame f = **next;
            if (f.stream == 0 && f.type == static_cast<std::uint8_t>(frame_type::go_away) && away_reason(f.payload)) {
                s.end(false, "the peer refused the link: " + *away_reason(f.payload));
                s.peer_going = true;
                co_return false;
            }
            if (f.stream != 0 || f.type != static_cast<std::uint8_t>(frame_type::hello)) {
                s.end(true, "the first frame is no HELLO");
                co_return false;
            }
            auto theirs = decode_hello(f.payload);
            const auto used = f.wire_bytes();
            const auto good = theirs ? s.check(*theirs) : result<void>(theirs.error());
            input().consume(used);
            if (!good) {
                s.end(true, "HELLO: " + good.error().message(), errc::wrong_peer);
                co_return false;
            }
            hello_received question{std::move(*theirs)};
            const auto decision = co_await ask(std::move(question));
            if (!decision.accept) {
                s.end(false, decision.reason.empty() ? "we refused the link" : decision.reason);
                send(away_frame(end_code::refused, "refused"));   // the reason is ours
                s.said_goodbye = true;
                co_return false;
            }
            if (!s.options.dialler) send(hello_frame(decision.mine));
            s.ready = true;
            set_deadline(std::nullopt);
            co_await ask(link_ready{});
            s.heard_at = now();
            co_return true;
        }
        // An honest HELLO is smaller than this; nobody unknown makes us keep more.
        if (input().size() > frame_header_bytes + hello_bytes_max) {
            s.end(true, "HELLO is too large");
            co_return false;
        }
        if (s.going) {
            s.end(false, "we went away");
            co_return false;
        }
        switch (co_await more_input()) {
        case wire::woken::ended:
            s.end(false, "the peer closed the link before its HELLO");
            co_return false;
        case wire::woken::timeout:
            s.end(false, "no HELLO within 5 s", errc::timed_out);
            co_return false;
        default: break;
        }
    }
}

wire::task<> session::serve() {
    state& s = *state_;
    while (!s.over) {
        bool moved = false;
        if (to_send().size() < wire::output_high_water_bytes) {
            wire::byte_writer out;
            s.streams.write(out, wire::output_high_water_bytes - to_send().size());
            send(out.view());
        } else if (to_send().size() >= wire::output_high_water_bytes + control_slack_bytes) {
            co_await drained();
            moved = true;
        }

        while (auto outcome = s.streams.next_outcome()) {
            response_received told{outcome->request, std::move(outcome->message)};
            co_await ask(std::move(told));
            s.heard_at = std::max(s.heard_at, now());   // nothing was read while the question was open
            moved = true;
        }
        if (auto asked = s.streams.next_request()) {
            const auto stream = asked->stream;
            request_received question{std::move(asked->protocol), std::move(asked->message)};
            auto reply = co_await ask(std::move(question));
            s.streams.answer(stream, std::move(reply));
            s.heard_at = std::max(s.heard_at, now());
            moved = true;
        }
        if (moved) continue;

        const bool all_done = s.streams.idle();
        if ((s.going || (s.peer_going && all_done)) && !s.said_goodbye) {
            send(away_frame(end_code::done, ""));
            s.said_goodbye = true;
            s.parting_at = now() + parting_timeout;
        }
        if (all_done && s.peer_going) {
            s.end(false, s.going ? "we went away" : "the peer went away");
            break;
        }
        if (s.going && !all_done) s.parting_at = now() + parting_timeout;

        // One frame at a time: what it leads to is told and, where there is room, written before the next is looked at.
        // So how the bytes were cut on their way changes nothing, and behind the last one nobody looks.
        const auto next = next_frame(input().view());
        if (!next) {
            s.end(true, next.error().message());
            break;
        }
        if (*next) {
            take(**next);
            input().consume((*next)->wire_bytes());
            continue;
        }

        s.note_what_is_open(now());
        auto deadline = std::min(s.ping_at(), s.dead_at());
        if (s.going && all_done) deadline = std::min(deadline, s.parting_at);
        set_deadline(deadline);
        // Room in the output matters only when it was full: what stopped for credit goes on with CREDIT.
        listen_to_drain(to_send().size() >= wire::output_high_water_bytes);

        switch (co_await more_input()) {
        case wire::woken::input:
            s.heard_at = now();
            break;
        case wire::woken::ended: s.end(false, "the peer closed the link"); break;
        case wire::woken::timeout:
            if (now() >= s.dead_at()) {
                s.end(false, "nothing heard for too long", errc::timed_out);
            } else if (s.going && all_done && now() >= s.parting_at) {
                s.end(false, "we went away");
            } else {
                wire::byte_writer ping;
                put_frame(ping, frame_type::ping, 0);
                send(ping.view());
                s.pinged_at = now();
            }
            break;
        default: break;
        }
    }
}

void session::take(const frame& f) {
    state& s = *state_;
    switch (static_cast<frame_type>(f.type)) {
    case frame_type::hello: s.end(true, "a second HELLO"); break;
    case frame_type::ping: {
        if (f.stream != 0 || f.payload.size() > ping_payload_bytes_max) {
            s.end(true, "a wrong PING");
            break;
        }
        wire::byte_writer pong;
        put_frame(pong, frame_type::pong, 0, f.payload);
        send(pong.view());
        break;
    }
    case frame_type::pong:
        if (f.stream != 0 || f.payload.size() > ping_payload_bytes_max) s.end(true, "a wrong PONG");
        break;
    case frame_type::go_away:
        if (f.stream != 0 || !away_reason(f.payload)) {
            s.end(true, "a wrong GOAWAY");
            break;
        }
        s.peer_going = true;
        s.streams.stop_opening(errc::link_lost);
        break;
    case frame_type::addresses: break;   // version 1 learns addresses from records alone
    case frame_type::open:
    case frame_type::data:
    case frame_type::credit:
    case frame_type::fin:
    case frame_type::reset:
        if (const auto taken = s.streams.take(f); !taken) s.end(true, taken.error().message());
        break;
    default: break;                      // a type of later versions that may be skipped
    }
}

wire::task<> session::part() {
    state& s = *state_;
    set_deadline(std::nullopt);
    if (!s.said_goodbye && !ended() && !s.peer_going) {
        const auto code = s.violation ? end_code::violation
                          : s.request_error == errc::timed_out ? end_code::timed_out : end_code::done;
        send(away_frame(code, s.violation ? s.reason : std::string_view()));
    }
    s.streams.fail_all(s.request_error);
    while (auto outcome = s.streams.next_outcome()) {
        response_received told{outcome->request, std::move(outcome->message)};
        co_await ask(std::move(told));
    }
    link_ended last{s.violation, s.reason};
    co_await ask(std::move(last));
    input().consume(input().size());
}

}  // namespace pp::peer

// The streams of one link: numbers, credit in both directions, messages that are collected or cut into frames, and the
// order in which streams write (SPEC.md, "Streams", "Credit", "Order of writing"). No coroutine and no clock: frames
// in, frames and finished messages out.
//
// A stream of ours:    waiting -> OPEN, DATA..., FIN sent (as credit and output allow) -> reply collected -> closed
// A stream of theirs:  OPEN, DATA... received -> FIN: asked -> answered: DATA..., FIN sent -> closed
#pragma once

#include "proto/peer/frame.hpp"
#include "proto/peer/held_bytes.hpp"
#include "proto/peer/protocols.hpp"

#include <deque>
#include <map>

namespace pp::peer {

inline constexpr std::size_t stream_credit_bytes = 256 * 1024;
inline constexpr std::size_t link_credit_bytes = 1024 * 1024;
inline constexpr std::size_t credit_bytes_max = 16 * 1024 * 1024;   // more than that at once is nobody's honest wish
inline constexpr std::size_t open_streams_max = 64;                 // of each side
// Bulk requests of ours are open as long as the answers they allow are together no larger than this: two full answers
// of drive/1, which are the credit of a link, or many small ones, so that many small mails need not one way there and
// back each.
inline constexpr std::size_t bulk_answers_bytes_max = 2 * fetch_reply_bytes_max;
inline constexpr std::size_t bulk_streams_max = 32;                 // of ours: the other half stays for what is no bulk
// Of protocols whose requests may be larger than this neither side has more open than so many: each is collected in
// memory.
inline constexpr std::size_t large_request_bytes = 128 * 1024;
inline constexpr std::size_t large_request_streams_max = 2;
// Answers that wait to be written; above it no further bulk request is put to the daemon.
inline constexpr std::size_t waiting_reply_bytes_max = 1024 * 1024;

class stream_table final : private held_bytes::holder {
public:
    explicit stream_table(bool dialler);
    ~stream_table();
    stream_table(const stream_table&) = delete;
    stream_table& operator=(const stream_table&) = delete;

    // ------------------------------------------------------------ from outside
    // A request of ours; an unfit one fails at once. An answer over answer_bytes_max is too large; 0: the protocol's
    // limit.
    std::uint64_t ask(std::string_view protocol, bytes message, std::size_t answer_bytes_max = 0);
    struct asked {
        std::uint32_t stream = 0;
        std::string protocol;
        bytes message;
    };
    std::optional<asked> next_request();                            // of theirs, whole; to be answered
    void answer(std::uint32_t stream, bytes reply);
    struct outcome {
        std::uint64_t request = 0;
        result<bytes> message;
    };
    std::optional<outcome> next_outcome();                          // of a request of ours
    void fail_all(errc why);                                        // every request of ours gets its outcome
    void stop_opening(errc why);                                    // the other side goes: what is not open fails
    void refuse_new() { refusing_ = closed_to_us_ = true; }         // we go: nobody opens anything new

    // ------------------------------------------------------------ frames
    // One of OPEN, DATA, CREDIT, FIN, RESET. An error ends the link.
    result<void> take(const frame& f);
    // Writes as much as credit allows until out holds about budget bytes.
    void write(wire::byte_writer& out, std::size_t budget);

    bool takes_requests() const { return !closed_to_us_; }
    std::size_t open_requests() const { return waiting_.size() + waiting_bulk_.size() + ours_.size(); }
    bool has_open() const { return open_requests() > 0 || !theirs_.empty(); }   // of either side
    bool idle() const { return !has_open() && control_.size() == 0; }

private:
    struct outgoing {                  // what is written on a stream
        bytes message;
        std::size_t sent = 0;
        std::size_t credit = stream_credit_bytes;
        bool ready = false;            // the message is known
        std::size_t left() const { return message.size() - sent; }
    };
    struct incoming {                  // what is collected on a stream
        bytes message;
        std::size_t bytes_max = 0;
        std::size_t credit = stream_credit_bytes;    // what the other side may still send
        std::size_t used = 0;                        // since credit was last returned
        bool whole = false;
    };
    struct stream {
        const protocol_limits* protocol = nullptr;
        std::uint64_t request = 0;     // of ours
        outgoing out;
        incoming in;
        bool sent_all = false;         // FIN written
        held_bytes::place held;        // of theirs: what the other side has us keep
    };
    struct waiting_request {
        std::uint64_t request = 0;
        const protocol_limits* protocol = nullptr;
        bytes message;
        std::size_t answer_bytes_max = 0;
    };
    using streams = std::map<std::uint32_t, stream>;

    bool is_ours(std::uint32_t number) const { return (number % 2 == 1) == dialler_; }
    stream* find(std::uint32_t number);
    bool was_opened(std::uint32_t number) const;
    result<void> opened(const frame& f);
    result<void> data(const frame& f);
    result<void> credited(const frame& f);
    result<void> finished(const frame& f);
    result<void> was_reset(const frame& f);
    result<void> use_link_credit(std::size_t n);
    void reset(std::uint32_t number, end_code why);     // both sides forget the stream
    void say_reset(std::uint32_t number, end_code why);
    void note_reset(std::uint32_t number);
    bool has_finished(std::uint32_t number) const;      // of one that is open no more: not by RESET
    result<void> after_the_end(std::uint32_t number) const;
    void forget(std::uint32_t number);
    void note_held(std::uint32_t number, stream& s);
    void give_up(std::uint32_t number) override;
    void fail(std::uint64_t request, errc why);
    bool may_open_bulk(const waiting_request& next) const;
    void open_waiting();
    bool write_one(wire::byte_writer& out, bool bulk);
    bool can_write(const stream& s, bool bulk) const;
    void write_piece(wire::byte_writer& out, std::uint32_t number, stream& s);

    static constexpr std::size_t resets_remembered = 128;   // of older streams either end is believed

    const bool dialler_;
    std::deque<std::uint32_t> resets_;                  // streams that were reset, by either side
    std::uint32_t resets_forgotten_to_[2] = {0, 0};     // highest number of those no more remembered: theirs, ours
    streams ours_, theirs_;
    std::deque<waiting_request> waiting_, waiting_bulk_;
    std::deque<std::uint32_t> whole_, whole_bulk_;      // streams of theirs whose request is complete
    std::deque<outcome> outcomes_;
    wire::byte_writer control_;                         // CREDIT, RESET, OPEN: before any DATA
    std::uint64_t next_request_ = 1;
    std::uint32_t next_number_, last_of_theirs_ = 0;
    std::uint32_t last_written_[2] = {0, 0};            // round robin, by class
    std::size_t bulk_open_ = 0, bulk_answers_bytes_ = 0;   // streams of ours, and what their answers may be together
    std::size_t reply_bytes_waiting_ = 0;
    std::size_t send_credit_ = link_credit_bytes, receive_credit_ = link_credit_bytes, receive_used_ = 0;
    bool refusing_ = false, closed_to_us_ = false;
};

}  // namespace pp::peer

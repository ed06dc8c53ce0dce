// One authenticated link between two nodes as a machine: HELLO, frames, streams with credit, pings
// (proto/peer/SPEC.md, "Frames"; 04-network 5.2). Above it, everything is a request and its response: one stream each.
// TLS is below: the daemon tells which device key the other side has proved.
#pragma once

#include "proto/peer/messages.hpp"
#include "proto/wire/dialogue.hpp"

#include <memory>
#include <variant>

namespace pp::peer {

// A stream's protocol by name, with the size one message may have in each direction.
inline constexpr std::string_view notify_protocol = "notify/1", drive_protocol = "drive/1",
                                  receipt_protocol = "receipt/1", contact_protocol = "contact/1",
                                  relay_protocol = "relay/1", relay_push_protocol = "relay-push/1",
                                  relay_seed_protocol = "relay-seed/1", letter_protocol = "letter/1",
                                  punch_protocol = "punch/1";

struct noted {
    bool operator==(const noted&) const = default;
};
struct hello_verdict {
    bool accept = false;
    std::string reason;                    // with a refusal: for our log; the peer gets GOAWAY
    hello mine;                            // the listener answers with the HELLO of the account that was wanted
};
// The peer's HELLO; its certificate and record have been verified and its device key is the one TLS proved.
struct hello_received {
    using answer_type = hello_verdict;
    hello theirs;
};
// HELLOs are exchanged: requests go from here on. The link may end before this comes.
struct link_ready {
    using answer_type = noted;
};
// The peer asks. Answered in order; small ones at once.
struct request_received {
    using answer_type = bytes;             // the encoded reply
    std::string protocol;
    bytes message;
};
// The answer to a request of ours; error when the link or the stream ended first.
struct response_received {
    using answer_type = noted;
    std::uint64_t request = 0;             // as ask_peer() named it
    result<bytes> message;
};
// The last event: why the link ends. A violation is logged with its reason.
struct link_ended {
    using answer_type = noted;
    bool violation = false;
    std::string reason;
};

using event = std::variant<hello_received, link_ready, request_received, response_received, link_ended>;
using verdict = std::variant<noted, hello_verdict, bytes>;

struct link_options {
    bool dialler = false;                  // the TLS client
    device_key peer_device;                // proved by TLS
    std::optional<hello> mine;             // dialler: sent at once
    std::optional<account_key> expected;   // dialler: the account that must answer
    unix_s now = 0;                        // wall time at the start, for certificate dates
};

struct frame;

class session : public wire::dialogue<event, verdict> {
public:
    explicit session(link_options options);
    ~session() override;

    // Queues a request; response_received names it. Any time before link_ended; small messages and notify/1 go before
    // bulk. An answer larger than answer_bytes_max is an error (0: the protocol's limit); the smaller it is, the more
    // bulk requests are under way at a time. Follow it with news().
    std::uint64_t ask_peer(std::string_view protocol, bytes message, std::size_t answer_bytes_max = 0);
    void go_away();                        // finish what is open, then end; follow it with news()
    bool ready() const;                    // HELLOs are exchanged
    bool takes_requests() const;           // ready, and neither side goes away: else a request of ours fails at once
    std::size_t open_requests() const;

private:
    wire::task<> converse() override;
    wire::task<bool> meet();               // HELLOs; false when the link ends here
    wire::task<> serve();                  // until one side goes or fails
    void take(const frame& f);             // one frame after the HELLOs
    wire::task<> part();                   // open requests get their errors, then link_ended
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pp::peer

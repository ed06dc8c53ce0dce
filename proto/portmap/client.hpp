// The client of port mapping as a machine: asks the gateway with PCP (RFC 6887) for one TCP or UDP port, goes back to
// NAT-PMP (RFC 6886) when the gateway says that it speaks no PCP or says nothing, renews at half of the lease, and
// takes the mapping away at the end. Knows no socket: the daemon has a UDP socket that is connected to the gateway, so
// that answers of others never come here. A gateway that was switched off meanwhile gets its mapping back with the next
// renewal, which asks for the same port; its announcements (RFC 6886 section 3.2.1, RFC 6887 section 8.5) go to a
// multicast group that is not listened to.
//
//   asking --granted--> mapped --half of the lease--> renewing --granted--> mapped
//     |  \--silence, refusal--> away (nothing is mapped; again after retry_interval)
//     \--version 0--> asking with NAT-PMP
#pragma once

#include "proto/portmap/mapping.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <variant>

namespace pp::portmap {

// RFC 6887 section 8.1.1 begins with 3 s for gateways that are far away; ours is the next hop. NAT-PMP begins with 250
// ms (RFC 6886 section 3.1), and so do we with both; it doubles.
inline constexpr auto first_wait = std::chrono::milliseconds(250);
inline constexpr unsigned pcp_tries_max = 4;                          // 3.75 s of silence: it speaks no PCP
inline constexpr unsigned nat_pmp_tries_max = 6;                      // 15.75 s of silence: there is nobody
inline constexpr auto retry_interval = std::chrono::minutes(15);      // after that, and after a refusal

enum class method : std::uint8_t { pcp, nat_pmp };

struct mapped {                      // new, or changed since the last one
    grant what;
    method by = method::pcp;
    bool operator==(const mapped&) const = default;
};
struct unmapped {                    // none any more, or none could be had; asked again by itself
    std::string why;                 // for the log
    bool operator==(const unmapped&) const = default;
};
using event = std::variant<mapped, unmapped>;

struct client_options {
    ipv4 own_address{};              // of the socket
    transport what = transport::tcp;
    std::uint16_t internal_port = 0;
    nonce n{};                       // random (RFC 6887 section 11.2)
};

class client {
public:
    client(client_options options, time_point now);

    void received(bytes_view datagram, time_point now);
    void tick(time_point now);
    std::optional<time_point> deadline() const { return next_; }
    std::optional<bytes> next_datagram();
    std::optional<event> next_event();
    // Takes the mapping away, also one that was asked for and is not answered yet: one more datagram, sent without
    // waiting for its answer. Nothing happens afterwards.
    void stop();
    const std::optional<grant>& current() const { return granted_; }

private:
    void ask(time_point now);
    void send();
    void send_again(time_point now);
    void took(const grant& g, time_point now);
    void refused(std::string why, time_point now);
    void lost(std::string why, time_point at_again);

    client_options options_;
    method by_ = method::pcp;
    bool asking_ = false, stopped_ = false;
    unsigned tries_ = 0;
    std::optional<ipv4> external_;           // NAT-PMP tells it apart from the mapping,
    std::optional<grant> pending_;           // and this waits for it
    std::optional<grant> granted_;
    time_point expires_{};                   // of granted_
    std::optional<time_point> next_;
    std::deque<bytes> out_;
    std::deque<event> events_;
};

}  // namespace pp::portmap

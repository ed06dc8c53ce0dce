#include "proto/portmap/client.hpp"

#include "proto/portmap/nat_pmp.hpp"
#include "proto/portmap/pcp.hpp"

#include <algorithm>
#include <utility>

namespace pp::portmap {

namespace {

constexpr std::uint8_t result_version = 1;       // of both protocols

// Neither port 0 nor an address that is none is a mapping, whatever the result says.
bool makes_sense(const grant& g) {
    return g.external_port != 0 && g.external[0] != 0 && g.external[0] != 127 && g.external[0] < 224;
}

}  // namespace

client::client(client_options options, time_point now) : options_(options) { ask(now); }

void client::ask(time_point now) {
    asking_ = true;
    tries_ = 0;
    external_.reset();
    pending_.reset();
    send();
    next_ = now + first_wait;
}

void client::send() {
    ++tries_;
    const auto wanted = granted_ ? granted_->external_port : options_.internal_port;
    if (by_ == method::pcp) {
        out_.push_back(pcp::map_request(options_.own_address, options_.n, options_.what, options_.internal_port, wanted,
                                        lease_wanted_s));
    } else {
        // Both at once; the address is asked for each time, for it may have changed (RFC 6886 section 3.2.1).
        out_.push_back(nat_pmp::address_request());
        out_.push_back(nat_pmp::mapping_request(options_.what, options_.internal_port, wanted, lease_wanted_s));
    }
}

void client::send_again(time_point now) {
    if (by_ == method::pcp && tries_ >= pcp_tries_max && !granted_) {
        by_ = method::nat_pmp;
        ask(now);
    } else if (tries_ >= (by_ == method::pcp ? pcp_tries_max : nat_pmp_tries_max)) {
        if (granted_ && now < expires_) {
            // The gateway is away for a moment; the mapping lives on at it. The remaining half is asked for in halves
            // (RFC 6887 section 11.2.1).
            const auto rest =
                std::max<std::chrono::steady_clock::duration>((expires_ - now) / 2, std::chrono::seconds(4));
            asking_ = false;
            next_ = now + rest;
            return;
        }
        lost("no gateway answers", now + retry_interval);
    } else {
        send();
        next_ = now + first_wait * (1 << (tries_ - 1));
    }
}

void client::tick(time_point now) {
    if (stopped_ || !next_ || now < *next_) return;
    if (granted_ && now >= expires_) lost("the lease is over", now);
    if (asking_) send_again(now);
    else ask(now);
}

void client::took(const grant& g, time_point now) {
    if (!makes_sense(g)) return refused("the gateway granted nonsense", now);
    const bool is_new = !granted_ || granted_->external != g.external || granted_->external_port != g.external_port;
    granted_ = g;
    asking_ = false;
    out_.clear();                        // a repetition that was not sent yet
    const auto lease = std::chrono::seconds(std::clamp(g.lease_s, lease_s_min, lease_s_max));
    expires_ = now + lease;
    next_ = now + lease / 2;
    if (is_new) events_.push_back(mapped{g, by_});
}

void client::lost(std::string why, time_point at_again) {
    granted_.reset();
    asking_ = false;
    by_ = method::pcp;
    next_ = at_again;
    events_.push_back(unmapped{std::move(why)});
}

void client::refused(std::string why, time_point now) { lost(std::move(why), now + retry_interval); }

void client::received(bytes_view datagram, time_point now) {
    if (stopped_ || !asking_ || datagram.size() > datagram_bytes_max) return;
    if (by_ == method::pcp) {
        if (const auto a = pcp::decode(datagram)) {
            if (a->result == result_version) {
                by_ = method::nat_pmp;
                return ask(now);
            }
            // Matched as RFC 6887 section 11.4 says; an error that is too short to be matched counts, too.
            const bool ours =
                a->n == options_.n && a->what == options_.what && a->internal_port == options_.internal_port;
            if (a->result != 0) {
                if (ours || a->n == nonce{})
                    refused("the gateway refuses: PCP result " + std::to_string(a->result), now);
                return;
            }
            if (!ours || !a->external || a->lease_s == 0) return;
            took({*a->external, a->external_port, a->lease_s}, now);
        } else if (const auto old = nat_pmp::decode(datagram)) {
            // RFC 6886 section 3.5: version 0, result 1, whatever the operation.
            if (std::holds_alternative<nat_pmp::refusal>(*old) &&
                std::get<nat_pmp::refusal>(*old).result == result_version) {
                by_ = method::nat_pmp;
                ask(now);
            }
        }
        return;
    }
    const auto a = nat_pmp::decode(datagram);
    if (!a) return;
    if (const auto* no = std::get_if<nat_pmp::refusal>(&*a)) {
        // Of another port's question on the same socket: not ours.
        const auto other = nat_pmp::operation_of(options_.what == transport::udp ? transport::tcp : transport::udp);
        if (no->operation == other) return;
        refused("the gateway refuses: NAT-PMP result " + std::to_string(no->result), now);
    } else if (const auto* address = std::get_if<nat_pmp::address_answer>(&*a)) {
        external_ = address->external;
        if (pending_ && external_) {
            auto g = *std::exchange(pending_, std::nullopt);
            g.external = *external_;
            took(g, now);
        }
    } else if (const auto* m = std::get_if<nat_pmp::mapping_answer>(&*a)) {
        if (m->what != options_.what || m->internal_port != options_.internal_port || m->lease_s == 0) return;
        grant g{external_.value_or(ipv4{}), m->external_port, m->lease_s};
        if (external_) took(g, now);
        else pending_ = g;
    }
}

std::optional<bytes> client::next_datagram() {
    if (out_.empty()) return std::nullopt;
    auto out = std::move(out_.front());
    out_.pop_front();
    return out;
}

std::optional<event> client::next_event() {
    if (events_.empty()) return std::nullopt;
    auto out = std::move(events_.front());
    events_.pop_front();
    return out;
}

void client::stop() {
    if (std::exchange(stopped_, true)) return;
    next_.reset();
    const bool may_be_granted = asking_ && out_.empty();   // the question is on its way, or its answer
    out_.clear();
    if (!granted_ && !may_be_granted) return;
    out_.push_back(by_ == method::pcp
                       ? pcp::map_request(options_.own_address, options_.n, options_.what, options_.internal_port, 0, 0)
                       : nat_pmp::mapping_request(options_.what, options_.internal_port, 0, 0));
}

}  // namespace pp::portmap

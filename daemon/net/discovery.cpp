#include "daemon/net/discovery.hpp"

#include "crypto/primitives.hpp"
#include "daemon/services/interfaces.hpp"
#include "daemon/services/log.hpp"

#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <algorithm>

namespace pp::net {

namespace {

constexpr auto first_delay_max = std::chrono::milliseconds(2000);   // against a storm when a house gets its power back
constexpr auto tags_lifetime = std::chrono::minutes(1);

using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

std::chrono::milliseconds up_to(std::chrono::milliseconds most) {
    return std::chrono::milliseconds(crypto::random_u64() % static_cast<std::uint64_t>(most.count() + 1));
}

}  // namespace

discovery::discovery(asio::io_context& io, services::node& node) : io_(io), node_(node), v4_(io), v6_(io), timer_(io) {}

void discovery::start(listener& l) {
    listener_ = &l;
    const bool have_v4 = open(v4_, false), have_v6 = open(v6_, true);
    if (!have_v4 && !have_v6) {
        services::log(services::area::peer).warn("event=lan_discovery_off reason=port_unavailable port={}",
                                   node_.configuration().lan.port);
        return;
    }
    join_groups();
    if (have_v4) asio::co_spawn(io_, listen_loop(v4_), asio::detached);
    if (have_v6) asio::co_spawn(io_, listen_loop(v6_), asio::detached);
    asio::co_spawn(io_, announce_loop(), asio::detached);
}

void discovery::stop() {
    stopping_ = true;
    error_code ignored;
    timer_.cancel();
    v4_.close(ignored);
    v6_.close(ignored);
}

bool discovery::open(udp::socket& socket, bool v6) {
    error_code ec;
    const auto port = node_.configuration().lan.port;
    const udp::endpoint any(v6 ? udp::v6() : udp::v4(), port);
    socket.open(any.protocol(), ec);
    if (ec) return false;
    if (v6) socket.set_option(asio::ip::v6_only(true), ec);
    socket.set_option(udp::socket::reuse_address(true), ec);
    socket.set_option(reuse_port(true), ec);   // several nodes on one machine
    socket.bind(any, ec);
    if (ec) {
        socket.close(ec);
        return false;
    }
    socket.set_option(asio::ip::multicast::hops(1), ec);
    socket.set_option(asio::ip::multicast::enable_loopback(true), ec);
    return true;
}

// On every interface that is there now; what has gone is left.
void discovery::join_groups() {
    const auto follow = [](udp::socket& socket, auto& joined, const auto& present, const auto& join,
                           const auto& leave) {
        error_code ec;
        for (auto it = joined.begin(); it != joined.end();) {
            const bool gone = std::find(present.begin(), present.end(), *it) == present.end();
            if (gone) socket.set_option(leave(*it), ec);
            it = gone ? joined.erase(it) : std::next(it);
        }
        for (const auto& one : present) {
            if (joined.contains(one)) continue;
            socket.set_option(join(one), ec);
            if (!ec) joined.insert(one);      // else by another address of the same interface, or with the next look
        }
    };
    using asio::ip::multicast::join_group, asio::ip::multicast::leave_group;
    if (v4_.is_open()) {
        std::vector<std::string> present;
        for (const auto& text : services::interface_addresses()) {
            error_code ec;
            if (const auto address = asio::ip::make_address(text, ec); !ec && address.is_v4()) present.push_back(text);
        }
        const auto group = asio::ip::make_address_v4(beacon_group_v4);
        follow(v4_, joined_v4_, present, [&](const auto& a) { return join_group(group, asio::ip::make_address_v4(a)); },
               [&](const auto& a) { return leave_group(group, asio::ip::make_address_v4(a)); });
    }
    if (v6_.is_open()) {
        const auto group = asio::ip::make_address_v6(beacon_group_v6);
        follow(v6_, joined_v6_, services::ipv6_interfaces(), [&](unsigned n) { return join_group(group, n); },
               [&](unsigned n) { return leave_group(group, n); });
    }
}

void discovery::network_changed() {
    if (stopping_ || (!v4_.is_open() && !v6_.is_open())) return;
    join_groups();
    announce();
}

awaitable<void> discovery::announce_loop() {
    auto delay = up_to(first_delay_max);
    while (!stopping_) {
        timer_.expires_after(delay);
        auto [ec] = co_await timer_.async_wait(as_result);
        if (stopping_) co_return;
        join_groups();
        if (!ec) announce();
        delay = std::chrono::milliseconds(beacon_interval) + up_to(std::chrono::milliseconds(beacon_interval) / 4);
    }
}

void discovery::announce() {
    const auto port = node_.configuration().lan.port;
    error_code ec;
    for (auto* a : node_.accounts()) {
        peer::beacon b;
        b.account = a->key();
        b.endpoints = a->record().endpoints;
        b.sent_at = services::now_s();
        if (b.endpoints.empty()) continue;
        const auto datagram = peer::seal_beacon(b, a->identity());
        const auto buffer = asio::buffer(datagram.data(), datagram.size());
        if (v4_.is_open()) {
            const udp::endpoint to(asio::ip::make_address_v4(beacon_group_v4), port);
            for (const auto& text : services::interface_addresses()) {
                const auto address = asio::ip::make_address(text, ec);
                if (ec || !address.is_v4()) continue;
                v4_.set_option(asio::ip::multicast::outbound_interface(address.to_v4()), ec);
                v4_.send_to(buffer, to, 0, ec);   // lost is lost: the next one comes
            }
        }
        if (!v6_.is_open()) continue;
        const auto group = asio::ip::make_address_v6(beacon_group_v6).to_bytes();
        for (const auto number : services::ipv6_interfaces())
            v6_.send_to(buffer, udp::endpoint(asio::ip::address_v6(group, number), port), 0, ec);
    }
}

awaitable<void> discovery::listen_loop(udp::socket& socket) {
    std::array<std::byte, peer::beacon_bytes_max + 1> datagram;   // one more: too long is seen
    udp::endpoint from;
    while (!stopping_) {
        const auto buffer = asio::buffer(datagram.data(), datagram.size());
        auto [ec, n] = co_await socket.async_receive_from(buffer, from, as_result);
        if (stopping_ || !socket.is_open()) co_return;
        if (!ec && n <= peer::beacon_bytes_max) heard(bytes_view(datagram).first(n));
    }
}

void discovery::heard(bytes_view datagram) {
    const auto tag = peer::beacon_tag(datagram);
    if (!tag) return;
    refresh_tags();
    const auto whose = tags_.find(*tag);
    if (whose == tags_.end()) return;
    const auto peer = whose->second;
    auto beacon = peer::open_beacon(datagram, peer, services::now_s());
    if (!beacon) return;
    const auto now = std::chrono::steady_clock::now();
    auto& s = seen_[peer];
    const bool is_new = s.endpoints.empty() || now - s.at > sighting_lifetime || s.endpoints != beacon->endpoints;
    if (beacon->sent_at < s.sent_at) return;   // an old one, repeated by somebody
    // What a clock that is ahead has dated is of now, or it would outlast all that its owner says by the right one.
    s = {beacon->endpoints, std::min(beacon->sent_at, services::now_s()), now};
    if (seen_.size() > sightings_max) seen_.erase(seen_.begin());
    if (!is_new) return;
    if (now - last_answer_ > beacon_answer_interval) {   // who has just come shall not wait for our next turn
        last_answer_ = now;
        announce();
    }
    listener_->seen_on_lan(peer);
}

void discovery::refresh_tags() {
    const auto now = std::chrono::steady_clock::now();
    if (now - tags_made_ < tags_lifetime && tags_made_ != std::chrono::steady_clock::time_point{}) return;
    tags_made_ = now;
    tags_.clear();
    for (const auto& peer : listener_->looked_for())
        for (const auto& tag : peer::beacon_tags(peer, services::now_s())) tags_.emplace(tag, peer);
}

std::vector<std::string> discovery::endpoints_of(const crypto::account_key& peer) const {
    const auto found = seen_.find(peer);
    if (found == seen_.end() || std::chrono::steady_clock::now() - found->second.at > sighting_lifetime) return {};
    return found->second.endpoints;
}

}  // namespace pp::net

#include "daemon/net/nat/port_mapper.hpp"

#include "crypto/primitives.hpp"
#include "daemon/services/interfaces.hpp"
#include "daemon/services/log.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

namespace pp::net {

namespace {

std::string text_of(const portmap::ipv4& a) {
    return asio::ip::make_address_v4(asio::ip::address_v4::bytes_type{a[0], a[1], a[2], a[3]}).to_string();
}

}  // namespace

port_mapper::port_mapper(asio::io_context& io) : io_(io), timer_(io) { back_->io = &io; }

port_mapper::~port_mapper() {
    const std::lock_guard lock(back_->mutex);
    back_->io = nullptr;
}

void port_mapper::start(std::uint16_t port, std::function<void()> changed) {
    port_ = port;
    changed_ = std::move(changed);
    begin();
}

void port_mapper::network_changed() {
    if (port_ == 0 || stopping_) return;
    // What the old gateway had is of no use any more, and it can no longer be reached to say so.
    upnp_ = {};
    set_outside(std::nullopt);
    begin();
}

void port_mapper::begin() {
    ++round_;
    error_code ec;
    if (socket_) socket_->close(ec);
    socket_.reset();
    machine_.reset();
    timer_.cancel();
    upnp_at_ = std::chrono::steady_clock::time_point::max();
    const auto gateway = services::default_gateway();
    if (!gateway) return;                     // until the network changes
    gateway_ = *gateway;
    const auto address = asio::ip::make_address_v4(gateway_, ec);
    auto socket = std::make_shared<udp::socket>(io_);
    if (!ec) socket->open(udp::v4(), ec);
    if (!ec) socket->connect({address, portmap::gateway_port}, ec);
    if (!ec) socket->non_blocking(true, ec);
    if (ec) return;
    const auto own = socket->local_endpoint(ec).address();
    if (ec || !own.is_v4()) return;
    // A global address needs nobody's help; loopback has nobody outside.
    const auto kind = engine::kind_of(own.to_string());
    if (kind != engine::address_kind::local && kind != engine::address_kind::link_local) return;
    const auto now = std::chrono::steady_clock::now();
    portmap::client_options options;
    const auto bytes_of_own = own.to_v4().to_bytes();
    std::copy(bytes_of_own.begin(), bytes_of_own.end(), options.own_address.begin());
    options.internal_port = port_;
    crypto::random_bytes(options.n);
    machine_.emplace(options, now);
    upnp_at_ = now + upnp_after;
    socket_ = socket;
    asio::co_spawn(io_, receive_loop(socket), asio::detached);
    asio::co_spawn(io_, clock_loop(round_), asio::detached);
}

awaitable<void> port_mapper::receive_loop(std::shared_ptr<udp::socket> socket) {
    std::array<std::byte, portmap::datagram_bytes_max + 1> datagram;   // one more: too long is seen
    while (socket == socket_) {
        const auto buffer = asio::buffer(datagram.data(), datagram.size());
        auto [ec, n] = co_await socket->async_receive(buffer, as_result);
        if (socket != socket_ || ec == asio::error::operation_aborted) co_return;
        if (ec) {
            // "Port unreachable": the gateway has no such service, and says so each time it is asked.
            continue;
        }
        machine_->received(bytes_view(datagram).first(n), std::chrono::steady_clock::now());
        pump();
        timer_.cancel();
    }
}

awaitable<void> port_mapper::clock_loop(std::uint64_t round) {
    pump();
    while (round == round_ && !stopping_) {
        timer_.expires_at(std::min(machine_->deadline().value_or(upnp_at_), upnp_at_));
        auto [ec] = co_await timer_.async_wait(as_result);
        (void)ec;
        if (round != round_ || stopping_) co_return;
        const auto now = std::chrono::steady_clock::now();
        machine_->tick(now);
        pump();
        if (now >= upnp_at_) run_upnp();
    }
}

void port_mapper::pump() {
    while (const auto datagram = machine_->next_datagram()) {
        error_code ignored;      // a datagram that cannot go is lost, as on any network
        socket_->send(asio::buffer(datagram->data(), datagram->size()), 0, ignored);
    }
    auto& log = services::log(services::area::peer);
    while (const auto e = machine_->next_event()) {
        if (const auto* got = std::get_if<portmap::mapped>(&*e)) {
            const std::string by = got->by == portmap::method::pcp ? "pcp" : "nat-pmp";
            const engine::endpoint at{text_of(got->what.external), got->what.external_port};
            // An address that is not global either: there is another router in between, and nobody is let in.
            const bool useful = engine::kind_of(at.host) == engine::address_kind::global;
            log.info("event=port_mapped by={} useful={} lease_s={}", by, useful, got->what.lease_s);
            if (upnp_.external_port == 0) set_outside(useful ? std::optional(way_in{at, by}) : std::nullopt);
        } else {
            log.info("event=port_not_mapped reason={}", services::field(std::get<portmap::unmapped>(*e).why));
            if (upnp_.external_port == 0) set_outside(std::nullopt);
        }
    }
}

// ---------------------------------------------------------------- UPnP

template <class F>
void port_mapper::on_thread(F blocking) {
    upnp_running_ = true;
    std::thread([blocking = std::move(blocking), back = back_]() mutable {
        auto then = blocking();
        const std::lock_guard lock(back->mutex);
        if (back->io) asio::post(*back->io, std::move(then));
    }).detach();
}

void port_mapper::run_upnp() {
    upnp_at_ = std::chrono::steady_clock::time_point::max();
    if (machine_->current()) {       // one way in is enough; look again whether it still is one
        upnp_at_ = std::chrono::steady_clock::now() + portmap::retry_interval;
        return;
    }
    if (upnp_running_) return;
    on_thread([this, round = round_, gateway = gateway_, port = port_, before = upnp_] {
        auto answer = upnp_map(gateway, port, before);
        return [this, round, answer = std::move(answer)]() mutable { upnp_answered(round, std::move(answer)); };
    });
}

void port_mapper::upnp_answered(std::uint64_t round, std::variant<upnp_mapping, std::string> answer) {
    upnp_running_ = false;
    auto& log = services::log(services::area::peer);
    const auto* got = std::get_if<upnp_mapping>(&answer);
    if (stopping_ || round != round_) {
        // Too late: what was mapped meanwhile is not wanted, or is of another network.
        if (got) on_thread([this, mapping = *got] {
            upnp_unmap(mapping);
            return [this] { upnp_running_ = false; };
        });
        if (round != round_ && !stopping_ && socket_) upnp_at_ = std::chrono::steady_clock::now() + upnp_after;
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    upnp_at_ = now + portmap::retry_interval;
    if (got) {
        const bool useful = engine::kind_of(got->external_address) == engine::address_kind::global;
        log.info("event=port_mapped by=upnp useful={} lease_s={}", useful, got->lease_s);
        upnp_ = *got;
        upnp_at_ = now + std::chrono::seconds(portmap::lease_wanted_s) / 2;
        set_outside(useful ? std::optional(way_in{{got->external_address, got->external_port}, "upnp"}) : std::nullopt);
    } else {
        log.info("event=port_not_mapped by=upnp reason={}", services::field(std::get<std::string>(answer)));
        upnp_ = {};
        if (!machine_->current()) set_outside(std::nullopt);
    }
    timer_.cancel();
}

// ---------------------------------------------------------------- the end

void port_mapper::stop() {
    if (std::exchange(stopping_, true)) return;
    timer_.cancel();
    if (machine_) {
        machine_->stop();
        pump();
    }
    error_code ignored;
    if (socket_) socket_->close(ignored);
    socket_.reset();
    if (upnp_.external_port != 0 && !upnp_running_)
        on_thread([this, mapping = upnp_] {
            upnp_unmap(mapping);
            return [this] { upnp_running_ = false; };
        });
}

void port_mapper::set_outside(std::optional<way_in> now) {
    if (now == outside_) return;
    outside_ = std::move(now);
    if (changed_) changed_();
}

}  // namespace pp::net

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

std::string dotted(const portmap::ipv4& a) {
    return asio::ip::make_address_v4(asio::ip::address_v4::bytes_type{a[0], a[1], a[2], a[3]}).to_string();
}

const char* name_of(portmap::transport t) { return t == portmap::transport::tcp ? "tcp" : "udp"; }

}  // namespace

port_mapper::port_mapper(asio::io_context& io) : io_(io), timer_(io) { back_->io = &io; }

port_mapper::~port_mapper() {
    const std::lock_guard lock(back_->mutex);
    back_->io = nullptr;
}

void port_mapper::start(std::vector<wish> wishes, std::function<void()> changed) {
    for (const auto& w : wishes) doors_.push_back({w, std::nullopt, {}, std::nullopt});
    changed_ = std::move(changed);
    begin();
}

void port_mapper::network_changed() {
    if (stopping_ || doors_.empty()) return;
    // What the old gateway had is of no use any more, and it can no longer be reached to say so.
    for (auto& d : doors_) {
        d.upnp = {};
        set_outside(d, std::nullopt);
    }
    begin();
}

std::optional<port_mapper::way_in> port_mapper::outside(portmap::transport what) const {
    for (const auto& d : doors_)
        if (d.inside.what == what) return d.outside;
    return std::nullopt;
}

void port_mapper::begin() {
    ++round_;
    error_code ec;
    if (socket_) socket_->close(ec);
    socket_.reset();
    for (auto& d : doors_) d.machine.reset();
    timer_.cancel();
    upnp_at_ = std::chrono::steady_clock::time_point::max();
    const auto gateway = services::default_gateway();
    if (!gateway || doors_.empty()) return;   // until the network changes
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
    for (auto& d : doors_) {
        portmap::client_options options;
        const auto bytes_of_own = own.to_v4().to_bytes();
        std::copy(bytes_of_own.begin(), bytes_of_own.end(), options.own_address.begin());
        options.what = d.inside.what;
        options.internal_port = d.inside.port;
        crypto::random_bytes(options.n);
        d.machine.emplace(options, now);
    }
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
        if (ec) continue;      // "port unreachable": the gateway has no such service, and says so each time it is asked
        for (auto& d : doors_) d.machine->received(bytes_view(datagram).first(n), std::chrono::steady_clock::now());
        pump();
        timer_.cancel();
    }
}

awaitable<void> port_mapper::clock_loop(std::uint64_t round) {
    pump();
    while (round == round_ && !stopping_) {
        auto next = upnp_at_;
        for (const auto& d : doors_) next = std::min(next, d.machine->deadline().value_or(next));
        timer_.expires_at(next);
        auto [ec] = co_await timer_.async_wait(as_result);
        (void)ec;
        if (round != round_ || stopping_) co_return;
        const auto now = std::chrono::steady_clock::now();
        for (auto& d : doors_) d.machine->tick(now);
        pump();
        if (now >= upnp_at_) run_upnp();
    }
}

void port_mapper::pump() {
    for (auto& d : doors_) pump(d);
}

void port_mapper::pump(door& d) {
    while (const auto datagram = d.machine->next_datagram()) {
        error_code ignored;      // a datagram that cannot go is lost, as on any network
        socket_->send(asio::buffer(datagram->data(), datagram->size()), 0, ignored);
    }
    auto& log = services::log(services::area::peer);
    while (const auto e = d.machine->next_event()) {
        if (const auto* got = std::get_if<portmap::mapped>(&*e)) {
            const std::string by = got->by == portmap::method::pcp ? "pcp" : "nat-pmp";
            const engine::endpoint at{dotted(got->what.external), got->what.external_port};
            // An address that is not global either: there is another router in between, and nobody is let in.
            const bool useful = engine::kind_of(at.host) == engine::address_kind::global;
            log.info("event=port_mapped what={} by={} useful={} lease_s={}", name_of(d.inside.what), by, useful,
                     got->what.lease_s);
            if (d.upnp.external_port == 0) set_outside(d, useful ? std::optional(way_in{at, by}) : std::nullopt);
        } else {
            log.info("event=port_not_mapped what={} reason={}", name_of(d.inside.what),
                     services::field(std::get<portmap::unmapped>(*e).why));
            if (d.upnp.external_port == 0) set_outside(d, std::nullopt);
        }
    }
}

bool port_mapper::all_granted() const {
    return std::all_of(doors_.begin(), doors_.end(), [](const door& d) { return d.machine && d.machine->current(); });
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
    if (all_granted()) {             // one way in is enough; look again whether it still is one
        upnp_at_ = std::chrono::steady_clock::now() + portmap::retry_interval;
        return;
    }
    if (upnp_running_) return;
    std::vector<std::pair<std::uint16_t, upnp_mapping>> asked;
    for (const auto& d : doors_) {
        asked.emplace_back(d.inside.port, d.upnp);
        asked.back().second.what = d.inside.what;
    }
    on_thread([this, round = round_, gateway = gateway_, asked = std::move(asked)] {
        upnp_answers answers;
        for (const auto& [port, before] : asked) answers.push_back(upnp_map(gateway, port, before));
        return [this, round, answers = std::move(answers)]() mutable { upnp_answered(round, std::move(answers)); };
    });
}

void port_mapper::upnp_answered(std::uint64_t round, upnp_answers answers) {
    upnp_running_ = false;
    if (stopping_ || round != round_) {
        // Too late: what was mapped meanwhile is not wanted, or is of another network.
        std::vector<upnp_mapping> unwanted;
        for (auto& a : answers)
            if (auto* got = std::get_if<upnp_mapping>(&a)) unwanted.push_back(std::move(*got));
        upnp_unmap_all(std::move(unwanted));
        if (!stopping_ && socket_) upnp_at_ = std::chrono::steady_clock::now() + upnp_after;
        timer_.cancel();
        return;
    }
    auto& log = services::log(services::area::peer);
    const auto now = std::chrono::steady_clock::now();
    upnp_at_ = now + portmap::retry_interval;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        auto& d = doors_[i];
        if (const auto* got = std::get_if<upnp_mapping>(&answers[i])) {
            const bool useful = engine::kind_of(got->external_address) == engine::address_kind::global;
            log.info("event=port_mapped what={} by=upnp useful={} lease_s={}", name_of(d.inside.what), useful,
                     got->lease_s);
            d.upnp = *got;
            upnp_at_ = now + std::chrono::seconds(portmap::lease_wanted_s) / 2;
            set_outside(
                d, useful ? std::optional(way_in{{got->external_address, got->external_port}, "upnp"}) : std::nullopt);
        } else {
            log.info("event=port_not_mapped what={} by=upnp reason={}", name_of(d.inside.what),
                     services::field(std::get<std::string>(answers[i])));
            d.upnp = {};
            if (!d.machine->current()) set_outside(d, std::nullopt);
        }
    }
    timer_.cancel();
}

void port_mapper::upnp_unmap_all(std::vector<upnp_mapping> mappings) {
    std::erase_if(mappings, [](const auto& m) { return m.external_port == 0; });
    if (mappings.empty() || upnp_running_) return;
    on_thread([this, mappings = std::move(mappings)] {
        for (const auto& m : mappings) upnp_unmap(m);
        return [this] { upnp_running_ = false; };
    });
}

// ---------------------------------------------------------------- the end

void port_mapper::stop() {
    if (std::exchange(stopping_, true)) return;
    timer_.cancel();
    std::vector<upnp_mapping> mapped;
    for (auto& d : doors_) {
        if (d.machine) {
            d.machine->stop();
            pump(d);
        }
        mapped.push_back(d.upnp);
    }
    error_code ignored;
    if (socket_) socket_->close(ignored);
    socket_.reset();
    upnp_unmap_all(std::move(mapped));
}

void port_mapper::set_outside(door& d, std::optional<way_in> now) {
    if (now == d.outside) return;
    d.outside = std::move(now);
    if (changed_) changed_();
}

}  // namespace pp::net

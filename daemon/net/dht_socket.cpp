#include "daemon/net/dht_socket.hpp"

#include "daemon/engine/endpoints.hpp"
#include "daemon/services/interfaces.hpp"
#include "daemon/services/log.hpp"
#include "storage/home.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/system/errc.hpp>

#include <fstream>

namespace pp::net {

namespace {

constexpr std::size_t saved_bytes_max = 64 * 1024;   // 400 nodes take 16 KiB
constexpr int saved_mode = 0600;                     // whom we talk to is nobody's business

dht::endpoint from_asio(const udp::endpoint& e) {
    dht::endpoint out;
    out.port = e.port();
    const auto copy = [&](const auto& raw) {
        std::transform(raw.begin(), raw.end(), out.address.begin(),
                       [](unsigned char c) { return static_cast<std::byte>(c); });
    };
    if (e.address().is_v4()) {
        copy(e.address().to_v4().to_bytes());
    } else {
        out.kind = dht::family::ipv6;
        copy(e.address().to_v6().to_bytes());
    }
    return out;
}

udp::endpoint to_asio(const dht::endpoint& e) {
    const auto fill = [&](auto raw) {
        std::transform(e.address.begin(), e.address.begin() + static_cast<std::ptrdiff_t>(raw.size()), raw.begin(),
                       [](std::byte b) { return std::to_integer<unsigned char>(b); });
        return raw;
    };
    if (e.kind == dht::family::ipv4) return {asio::ip::address_v4(fill(asio::ip::address_v4::bytes_type{})), e.port};
    return {asio::ip::address_v6(fill(asio::ip::address_v6::bytes_type{})), e.port};
}

const char* name_of(dht::family f) { return f == dht::family::ipv4 ? "ipv4" : "ipv6"; }

}  // namespace

std::string dht_socket::open(const services::listen_address& where) {
    error_code ec;
    const auto address = asio::ip::make_address(where.address, ec);
    if (ec) return "dht.listen: " + where.address + " is no address";
    auto& socket = sockets_[address.is_v4() ? 0 : 1];
    if (socket) return "dht.listen names two sockets of one family";
    socket = std::make_shared<udp::socket>(io_);
    const udp::endpoint local(address, where.port);
    socket->open(local.protocol(), ec);
    // A machine without IPv6 is no mistake of its owner.
    if (ec && address.is_v6()) {
        socket.reset();
        return {};
    }
    if (!ec && address.is_v6()) socket->set_option(asio::ip::v6_only(true), ec);
    if (!ec) socket->bind(local, ec);
    if (address.is_v6() && ec == boost::system::errc::address_not_available) {
        socket.reset();
        return {};
    }
    if (!ec) socket->non_blocking(true, ec);   // a datagram that does not fit is lost, as on any network
    if (ec)
        return "the DHT cannot use UDP port " + std::to_string(where.port) + " of " + where.address + ": " +
               ec.message();
    return {};
}

std::string dht_socket::start(settings s) {
    settings_ = std::move(s);
    for (const auto& where : settings_.listen)
        if (auto failed = open(where); !failed.empty()) {
            sockets_ = {};
            return failed;
        }
    dht::node::settings machine;
    machine.kind = settings_.kind;
    machine.enabled = {sockets_[0] != nullptr, sockets_[1] != nullptr};
    if (!machine.enabled[0] && !machine.enabled[1]) return {};
    // In a network of our own everybody answers. In mainline only who is known to be reached (see happened()).
    reachable_ = settings_.kind == dht::network::closed;
    machine.reachable = reachable_;
    machine.seed = crypto::random<dht::dice_seed>();
    machine_.emplace(std::move(machine), std::chrono::steady_clock::now());
    load_table();
    if (settings_.bootstrap.empty() && settings_.kind == dht::network::mainline)
        settings_.bootstrap.assign(mainline_bootstrap.begin(), mainline_bootstrap.end());
    for (const auto& socket : sockets_)
        if (socket) asio::co_spawn(io_, receive_loop(socket), asio::detached);
    asio::co_spawn(io_, resolve_loop(), asio::detached);
    asio::co_spawn(io_, tick_loop(), asio::detached);
    return {};
}

void dht_socket::stop() {
    if (std::exchange(stopping_, true)) return;
    save_table();
    error_code ignored;
    timer_.cancel();
    resolve_timer_.cancel();
    for (const auto& socket : sockets_)
        if (socket) socket->close(ignored);
    for (const auto& [id, w] : gets_) w->timer.cancel();
    for (const auto& [id, w] : puts_) w->timer.cancel();
}

// ---------------------------------------------------------------- the machine

awaitable<void> dht_socket::receive_loop(std::shared_ptr<udp::socket> socket) {
    std::array<std::byte, dht::datagram_bytes_max + 1> datagram;   // one more: too long is seen
    udp::endpoint from;
    while (!stopping_) {
        const auto buffer = asio::buffer(datagram.data(), datagram.size());
        auto [ec, n] = co_await socket->async_receive_from(buffer, from, as_result);
        if (stopping_ || !socket->is_open()) co_return;
        if (ec) continue;   // an ICMP answer to something we sent
        machine_->received(from_asio(from), bytes_view(datagram).first(n), std::chrono::steady_clock::now());
        pump();
    }
}

awaitable<void> dht_socket::tick_loop() {
    auto save_at = std::chrono::steady_clock::now() + dht_save_interval;
    while (!stopping_) {
        const auto now = std::chrono::steady_clock::now();
        if (const auto due = machine_->deadline(); due && now >= *due) machine_->tick(now);
        pump();
        if (now >= save_at) {
            save_table();
            save_at = now + dht_save_interval;
        }
        // pump() moves the timer, which ends this wait, when something is due earlier.
        timer_.expires_at(std::min(machine_->deadline().value_or(save_at), save_at));
        auto [ec] = co_await timer_.async_wait(as_result);
        (void)ec;
    }
}

void dht_socket::pump() {
    while (const auto d = machine_->next_datagram()) {
        const auto& socket = sockets_[static_cast<std::size_t>(d->to.kind)];
        error_code lost;
        if (socket) socket->send_to(asio::buffer(d->data.data(), d->data.size()), to_asio(d->to), 0, lost);
    }
    while (const auto e = machine_->next_event()) happened(*e);
    if (const auto due = machine_->deadline(); due && *due < timer_.expiry()) timer_.cancel();
}

void dht_socket::happened(const dht::event& e) {
    auto& log = services::log(services::area::peer);
    if (const auto* got = std::get_if<dht::get_finished>(&e)) {
        finish(gets_, *got);
    } else if (const auto* put = std::get_if<dht::put_finished>(&e)) {
        log.debug("event=dht_put replicas={} answers={} outdated={} again={}", put->replicas, put->answers,
                  put->outdated, put->retry_in.has_value());
        finish(puts_, *put);
    } else if (const auto* in = std::get_if<dht::joined>(&e)) {
        log.info("event=dht_joined family={} nodes={}", name_of(in->over), in->nodes);
    } else if (const auto* seen = std::get_if<dht::address_seen>(&e)) {
        seen_ = to_asio(seen->at).address().to_string();
        judge_reachable();
        log.info("event=dht_address_seen family={} reachable={}", name_of(seen->at.kind), reachable_);
    }
}

void dht_socket::set_mapped(std::string address) {
    mapped_ = std::move(address);
    if (machine_) judge_reachable();
}

// Others see us at an address that is an interface's: no NAT in between, so they reach this port too. Or at the one
// where our router says that it lets them in: so there is no other NAT before it.
void dht_socket::judge_reachable() {
    if (settings_.kind == dht::network::closed || seen_.empty()) return;
    const auto own = services::interface_addresses();
    reachable_ = seen_ == mapped_ || std::find(own.begin(), own.end(), seen_) != own.end();
    machine_->set_reachable(reachable_);
}

// Bootstrap nodes, as long as there is nobody else to ask.
awaitable<void> dht_socket::resolve_loop() {
    udp::resolver resolver(io_);
    while (!stopping_) {
        const auto have = now();
        if (have.nodes_ipv4 + have.nodes_ipv6 == 0) {
            for (const auto& text : settings_.bootstrap) {
                const auto host = engine::parse_endpoint(text);
                if (!host) continue;
                const auto port = std::to_string(host->port);
                auto [ec, found] = co_await resolver.async_resolve(host->host, port, as_result);
                if (stopping_) co_return;
                if (ec) continue;
                for (const auto& entry : found) machine_->add_bootstrap(from_asio(entry.endpoint()));
            }
        }
        resolve_timer_.expires_after(dht_resolve_interval);
        auto [ec] = co_await resolve_timer_.async_wait(as_result);
        (void)ec;
    }
}

// ---------------------------------------------------------------- who waits

template <class Event>
void dht_socket::finish(waiters<Event>& all, const Event& end) {
    const auto found = all.find(end.operation);
    if (found == all.end() || found->second->end) return;
    found->second->end = end;
    found->second->timer.cancel();
}

template <class Event>
awaitable<Event> dht_socket::wait_for(waiters<Event>& all, dht::operation_id operation) {
    const auto mine = std::make_shared<waiter<Event>>(io_);
    all.emplace(operation, mine);
    pump();
    while (!mine->end && !stopping_) {
        mine->timer.expires_at(asio::steady_timer::time_point::max());
        auto [ec] = co_await mine->timer.async_wait(as_result);
        (void)ec;
    }
    all.erase(operation);
    Event out;
    out.operation = operation;
    if (mine->end) out = std::move(*mine->end);
    co_return out;
}

awaitable<dht::get_finished> dht_socket::get(dht::item_key key, bytes salt) {
    if (!machine_ || stopping_) co_return dht::get_finished();
    const auto operation = machine_->get(key, salt, std::chrono::steady_clock::now());
    if (!operation) co_return dht::get_finished();
    auto out = co_await wait_for(gets_, *operation);
    co_return out;
}

awaitable<dht::put_finished> dht_socket::put(dht::mutable_item item) {
    if (!machine_ || stopping_) co_return dht::put_finished();
    const auto operation = machine_->put(std::move(item), std::nullopt, std::chrono::steady_clock::now());
    if (!operation) co_return dht::put_finished();
    auto out = co_await wait_for(puts_, *operation);
    co_return out;
}

// ---------------------------------------------------------------- state

dht_socket::state dht_socket::now() const {
    state out;
    if (!machine_) return out;
    out.nodes_ipv4 = machine_->known_nodes(dht::family::ipv4);
    out.nodes_ipv6 = machine_->known_nodes(dht::family::ipv6);
    out.stored_items = machine_->stored_items();
    out.reachable = reachable_;
    return out;
}

std::vector<services::listen_address> dht_socket::where() const {
    std::vector<services::listen_address> out;
    for (const auto& socket : sockets_) {
        error_code ec;
        if (!socket) continue;
        const auto local = socket->local_endpoint(ec);
        if (!ec) out.push_back({local.address().to_string(), local.port(), services::tls_mode::none});
    }
    return out;
}

void dht_socket::load_table() {
    std::ifstream file(settings_.saved_table, std::ios::binary);
    if (!file) return;
    std::string content(saved_bytes_max, '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(file.gcount()));
    // Only addresses to begin with: a damaged file costs a bootstrap, nothing else.
    if (const auto taken = machine_->load(as_bytes(content)); !taken)
        services::log(services::area::peer)
            .warn("event=dht_table_not_loaded reason={}", services::field(taken.error().message()));
}

void dht_socket::save_table() {
    const auto have = now();
    if (settings_.saved_table.empty() || have.nodes_ipv4 + have.nodes_ipv6 == 0) return;   // keep what was there
    if (const auto saved = storage::replace_file(settings_.saved_table, machine_->save(), saved_mode); !saved)
        services::log(services::area::peer)
            .warn("event=dht_table_not_saved reason={}", services::field(saved.error().message()));
}

}  // namespace pp::net

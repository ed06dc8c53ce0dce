#include "daemon/net/listener.hpp"

#include "daemon/services/port_owner.hpp"
#include "daemon/services/log.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>

namespace pp::net {

listener::listener(asio::io_context& io, std::string service, services::listen_address where, accepted f)
    : acceptor_(io), service_(std::move(service)), where_(std::move(where)), accepted_(std::move(f)) {}

std::variant<std::unique_ptr<listener>, std::string> listener::open(asio::io_context& io, std::string service,
                                                                    const services::listen_address& where, accepted f) {
    std::unique_ptr<listener> l(new listener(io, std::move(service), where, std::move(f)));
    error_code ec;
    const auto address = asio::ip::make_address(where.address, ec);
    if (ec) return fmt::format("[{}] listen: \"{}\" is not an IP address", l->service_, where.address);
    const tcp::endpoint endpoint(address, where.port);
    l->acceptor_.open(endpoint.protocol(), ec);
    // no IPv6 here
    if (ec == asio::error::address_family_not_supported && address.is_v6()) return std::unique_ptr<listener>();
    if (!ec) l->acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec && address.is_v6()) l->acceptor_.set_option(asio::ip::v6_only(true), ec);
    if (!ec) l->acceptor_.bind(endpoint, ec);
    if (!ec) l->acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec == asio::error::address_in_use) {
        const auto owner = services::port_owner(where.port);
        return fmt::format("{} port {} on {} is taken{}. Choose another with [{}] listen in peerpost.toml, or end that "
                           "program.",
                           l->service_, where.port, where.address, owner.empty() ? "" : " by " + owner, l->service_);
    }
    if (ec && address.is_v6() && (address.is_loopback() || address.is_unspecified()))
        return std::unique_ptr<listener>();   // IPv6 is compiled in but switched off: IPv4 serves
    if (ec)
        return fmt::format("cannot listen for {} on {} port {}: {}", l->service_, where.address, where.port,
                           ec.message());
    l->where_.port = l->acceptor_.local_endpoint(ec).port();
    return l;
}

void listener::start() { asio::co_spawn(acceptor_.get_executor(), accept_loop(), asio::detached); }

void listener::stop() {
    error_code ignored;
    acceptor_.close(ignored);
}

awaitable<void> listener::accept_loop() {
    asio::steady_timer pause(acceptor_.get_executor());
    while (acceptor_.is_open()) {
        auto [ec, socket] = co_await acceptor_.async_accept(as_result);
        if (!ec) {
            accepted_(std::move(socket), where_);
        } else if (acceptor_.is_open()) {
            // Out of descriptors, or the client is gone already: go on, but not in a spin.
            services::log(services::area::main)
                .warn("event=accept_failed service={} reason={}", service_, services::field(ec.message()));
            pause.expires_after(std::chrono::milliseconds(100));
            auto [ignored] = co_await pause.async_wait(as_result);
            (void)ignored;
        }
    }
}

}  // namespace pp::net

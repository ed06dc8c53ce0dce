#include "daemon/net/connect.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>

namespace pp::net {

void watch_over([[maybe_unused]] tcp::socket& socket) {
#ifdef TCP_USER_TIMEOUT
    const unsigned limit_ms = std::chrono::milliseconds(unacknowledged_limit).count();
    setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof limit_ms);
#endif
}

bool is_watched_over([[maybe_unused]] tcp::socket& socket) {
#ifdef TCP_USER_TIMEOUT
    unsigned limit_ms = 0;
    socklen_t size = sizeof limit_ms;
    return getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, &size) == 0 && limit_ms != 0;
#else
    return false;
#endif
}

std::optional<line_state> line_state_of([[maybe_unused]] int descriptor) {
#ifdef TCP_USER_TIMEOUT
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
    return line_state{info.tcpi_unacked > 0, std::chrono::milliseconds(info.tcpi_last_ack_recv),
                      std::chrono::milliseconds(info.tcpi_rtt / 1000)};
#else
    return std::nullopt;
#endif
}

bool open_shared(tcp::socket& socket, const tcp::endpoint& local) {
    error_code ec;
    if (socket.is_open()) socket.close(ec);
    socket.open(local.protocol(), ec);
    if (ec) return false;
    // Both on every socket of the port, or the second one is refused it.
    const int on = 1;
    if (setsockopt(socket.native_handle(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return false;
    if (setsockopt(socket.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return false;
    socket.bind(local, ec);
    return !ec;
}

awaitable<error_code> connect(tcp::socket& socket, engine::endpoint to, std::chrono::milliseconds limit,
                              port_use port) {
    asio::steady_timer timer(socket.get_executor(), limit);
    const auto connecting = std::make_shared<bool>(true);
    timer.async_wait([&socket, connecting = std::weak_ptr(connecting)](error_code ec) {
        error_code ignored;
        if (!ec && !connecting.expired()) socket.close(ignored);   // fired in time, run too late: nothing to close
    });
    std::vector<tcp::endpoint> where;
    error_code failed;
    if (const auto address = asio::ip::make_address(to.host, failed); !failed) {
        where.emplace_back(address, to.port);
    } else {
        tcp::resolver resolver(socket.get_executor());
        auto [unresolved, found] = co_await resolver.async_resolve(to.host, std::to_string(to.port), as_result);
        if (unresolved) co_return unresolved;
        for (const auto& one : found)   // where an address that was told stands would have been refused
            if (engine::may_be_dialled(one.endpoint().address().to_string(), to.may_be_here))
                where.push_back(one.endpoint());
    }
    failed = asio::error::host_not_found;
    const auto end = std::chrono::steady_clock::now() + limit;
    for (const auto& one : where) {
        if (std::chrono::steady_clock::now() >= end) break;
        if (port == port_use::shared) {
            open_shared(socket, tcp::endpoint(one.protocol(), 0));
        } else if (socket.is_open()) {
            error_code ignored;
            socket.close(ignored);
        }
        auto [ec] = co_await socket.async_connect(one, as_result);
        failed = ec;
        if (!failed) break;
    }
    if (!failed) watch_over(socket);
    co_return failed;
}

std::string why_not_connected(const error_code& failed) {
    return failed == asio::error::operation_aborted || failed == asio::error::bad_descriptor ? "no answer"
                                                                                             : failed.message();
}

}  // namespace pp::net

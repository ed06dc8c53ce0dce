#include "daemon/net/nat/address_watch.hpp"

#include "daemon/services/interfaces.hpp"

#include <algorithm>
#include <array>
#include <utility>

#ifdef __linux__
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

namespace pp::net {

namespace {

// A socket on which the kernel tells of addresses and routes; -1 where there is none.
int open_news() {
#ifdef __linux__
    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0) return -1;
    sockaddr_nl groups{};
    groups.nl_family = AF_NETLINK;
    groups.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&groups), sizeof groups) == 0) return fd;
    ::close(fd);
#endif
    return -1;
}

}  // namespace

std::vector<std::string> address_watch::now() {
    auto out = services::interface_addresses();
    std::sort(out.begin(), out.end());
    out.push_back("via " + services::default_gateway().value_or(""));
    return out;
}

void address_watch::start(std::function<void()> changed) {
    changed_ = std::move(changed);
    known_ = now();
    if (const int fd = open_news(); fd >= 0) {
        news_.assign(fd);
        asio::co_spawn(io_, listen_loop(), asio::detached);
    }
    asio::co_spawn(io_, look_loop(), asio::detached);
}

void address_watch::stop() {
    stopping_ = true;
    timer_.cancel();
    error_code ignored;
    news_.close(ignored);
}

// What the kernel says is not read, only that it says something: the addresses themselves are looked up.
awaitable<void> address_watch::listen_loop() {
    std::array<std::byte, 8192> said;
    while (!stopping_) {
        const auto buffer = asio::buffer(said.data(), said.size());
        auto [ec, n] = co_await news_.async_read_some(buffer, as_result);
        if (stopping_ || ec == asio::error::operation_aborted) co_return;
        if (ec && ec != boost::system::errc::no_buffer_space) co_return;      // lost some: look all the same
        // News without end must not put the look off without end.
        if (!std::exchange(settling_, true)) timer_.expires_after(address_settle);
    }
}

awaitable<void> address_watch::look_loop() {
    while (!stopping_) {
        timer_.expires_after(address_look);
        for (bool over = false; !over && !stopping_;) {
            auto [ec] = co_await timer_.async_wait(as_result);
            over = !ec;                      // else there is news, and the timer stands at its settling
        }
        if (stopping_) co_return;
        settling_ = false;
        auto found = now();
        if (found == known_) continue;
        known_ = std::move(found);
        changed_();
    }
}

}  // namespace pp::net

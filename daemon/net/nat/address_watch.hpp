// Notices that the addresses of this machine have changed: Linux says so on a netlink socket (rtnetlink(7)); everywhere
// a look every half a minute finds it, too. One network thread.
#pragma once

#include "daemon/net/asio.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pp::net {

inline constexpr auto address_look = std::chrono::seconds(30);
// an interface that comes up says several things
inline constexpr auto address_settle = std::chrono::milliseconds(300);

class address_watch {
public:
    explicit address_watch(asio::io_context& io) : io_(io), timer_(io), news_(io) {}

    // changed: the set of addresses or the router is another than at the last call.
    void start(std::function<void()> changed);
    void stop();

private:
    awaitable<void> listen_loop();
    awaitable<void> look_loop();
    static std::vector<std::string> now();

    asio::io_context& io_;
    asio::steady_timer timer_;
    asio::posix::stream_descriptor news_;
    std::function<void()> changed_;
    std::vector<std::string> known_;
    bool settling_ = false;          // there was news, and the look at what it means comes soon
    bool stopping_ = false;
};

}  // namespace pp::net

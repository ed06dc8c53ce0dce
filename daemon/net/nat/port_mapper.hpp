// A way in through the router: has the peer port mapped by PCP or NAT-PMP (proto/portmap), and by UPnP when the router is
// silent about those; renews at half of the lease and takes the mapping away at stop. Speaks to the default gateway and
// to nobody else, but for UPnP's search, which is a multicast on the LAN. UPnP blocks and has threads of its own, one at
// a time; one that hangs is left behind. Everything else: one network thread.
#pragma once

#include "daemon/engine/endpoints.hpp"
#include "daemon/net/asio.hpp"
#include "daemon/net/nat/upnp.hpp"
#include "proto/portmap/client.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace pp::net {

// UPnP is tried when PCP and NAT-PMP have brought nothing by then; a router that knows those answers within milliseconds.
inline constexpr auto upnp_after = std::chrono::seconds(1);

class port_mapper {
public:
    explicit port_mapper(asio::io_context& io);
    ~port_mapper();

    // port: of our TCP listener. changed: outside() is another. Begins at once.
    void start(std::uint16_t port, std::function<void()> changed);
    // The network is another: looks for the gateway anew.
    void network_changed();
    void stop();
    bool busy() const { return upnp_running_; }      // after stop(): a mapping is being taken away

    struct way_in {
        engine::endpoint at;         // a global address
        std::string by;              // "pcp", "nat-pmp", "upnp"
        bool operator==(const way_in&) const = default;
    };
    // Where others reach our port now.
    const std::optional<way_in>& outside() const { return outside_; }

private:
    void begin();
    awaitable<void> receive_loop(std::shared_ptr<udp::socket> socket);
    awaitable<void> clock_loop(std::uint64_t round);
    void pump();
    void run_upnp();
    void upnp_answered(std::uint64_t round, std::variant<upnp_mapping, std::string> answer);
    void set_outside(std::optional<way_in> now);
    template <class F>
    void on_thread(F blocking);

    struct post_box {                // outlives us for a thread that hangs
        std::mutex mutex;
        asio::io_context* io = nullptr;
    };

    asio::io_context& io_;
    asio::steady_timer timer_;
    std::shared_ptr<post_box> back_ = std::make_shared<post_box>();
    std::function<void()> changed_;
    std::uint16_t port_ = 0;
    std::uint64_t round_ = 0;        // of network_changed(): what belongs to an older one is over
    std::string gateway_;
    std::shared_ptr<udp::socket> socket_;
    std::optional<portmap::client> machine_;
    std::chrono::steady_clock::time_point upnp_at_ = std::chrono::steady_clock::time_point::max();
    upnp_mapping upnp_;              // external_port 0: none
    bool upnp_running_ = false, stopping_ = false;
    std::optional<way_in> outside_;
};

}  // namespace pp::net

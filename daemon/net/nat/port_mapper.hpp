// Ways in through the router: has the peer port, and that of the DHT, mapped by PCP or NAT-PMP (proto/portmap), and by
// UPnP when the router is silent about those; renews at half of the lease and takes the mappings away at stop. Speaks
// to the default gateway and to nobody else, but for UPnP's search, which is a multicast on the LAN. UPnP blocks and
// has threads of its own, one at a time; one that hangs is left behind. Everything else: one network thread.
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
#include <vector>

namespace pp::net {

// UPnP is tried when PCP and NAT-PMP have brought nothing by then;
// a router that knows those answers within milliseconds.
inline constexpr auto upnp_after = std::chrono::seconds(1);

class port_mapper {
public:
    explicit port_mapper(asio::io_context& io);
    ~port_mapper();

    struct wish {
        portmap::transport what = portmap::transport::tcp;
        std::uint16_t port = 0;      // of our socket
    };
    // At most one of each transport. changed: outside() is another. Begins at once.
    void start(std::vector<wish> wishes, std::function<void()> changed);
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
    std::optional<way_in> outside(portmap::transport what) const;

private:
    struct door {
        wish inside;
        std::optional<portmap::client> machine;
        upnp_mapping upnp;           // external_port 0: none
        std::optional<way_in> outside;
    };
    using upnp_answers = std::vector<std::variant<upnp_mapping, std::string>>;   // by door
    void begin();
    awaitable<void> receive_loop(std::shared_ptr<udp::socket> socket);
    awaitable<void> clock_loop(std::uint64_t round);
    void pump();
    void pump(door& d);
    bool all_granted() const;
    void run_upnp();
    void upnp_answered(std::uint64_t round, upnp_answers answers);
    void upnp_unmap_all(std::vector<upnp_mapping> mappings);
    void set_outside(door& d, std::optional<way_in> now);
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
    std::uint64_t round_ = 0;        // of network_changed(): what belongs to an older one is over
    std::string gateway_;
    std::shared_ptr<udp::socket> socket_;
    std::vector<door> doors_;
    std::chrono::steady_clock::time_point upnp_at_ = std::chrono::steady_clock::time_point::max();
    bool upnp_running_ = false, stopping_ = false;
};

}  // namespace pp::net

// The node of the DHT (proto/dht) on UDP sockets: drives the machine with datagrams and time, keeps its table in a
// file, and lets coroutines wait for what they look up or store. One network thread.
#pragma once

#include "daemon/net/asio.hpp"
#include "daemon/services/config.hpp"
#include "proto/dht/node.hpp"

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pp::net {

inline constexpr auto dht_save_interval = std::chrono::hours(1);
inline constexpr auto dht_resolve_interval = std::chrono::minutes(5);   // of bootstrap names, while no node is known
// Entry nodes of mainline, for who configures none.
inline constexpr std::array<const char*, 3> mainline_bootstrap{
    "router.bittorrent.com:6881", "dht.transmissionbt.com:6881", "dht.libtorrent.org:25401"};

class dht_socket {
public:
    struct settings {
        dht::network kind = dht::network::mainline;
        std::vector<services::listen_address> listen;   // at most one of each family
        std::vector<std::string> bootstrap;             // "host:port"
        std::filesystem::path saved_table;
    };

    explicit dht_socket(asio::io_context& io) : io_(io), timer_(io), resolve_timer_(io) {}

    // A sentence when a socket cannot be opened; nothing is sent then.
    std::string start(settings s);
    void stop();   // saves the table; who waits gets an answer of no nodes
    // Where the router lets others in at our UDP port; empty: nowhere.
    void set_mapped(std::string address);
    bool running() const { return machine_.has_value(); }

    // The value with the highest sequence that the nearest nodes have; answers = 0 when the network was not reached.
    awaitable<dht::get_finished> get(dht::item_key key, bytes salt);
    // The first attempt; when it reached too few nodes the machine goes on trying by itself.
    awaitable<dht::put_finished> put(dht::mutable_item item);

    struct state {
        std::size_t nodes_ipv4 = 0, nodes_ipv6 = 0, stored_items = 0;
        bool reachable = false;                         // others are answered
    };
    state now() const;
    std::vector<services::listen_address> where() const;   // with the ports the system chose

private:
    template <class Event>
    struct waiter {
        explicit waiter(asio::io_context& io) : timer(io) {}
        asio::steady_timer timer;
        std::optional<Event> end;
    };
    template <class Event>
    using waiters = std::map<dht::operation_id, std::shared_ptr<waiter<Event>>>;

    std::string open(const services::listen_address& where);
    awaitable<void> receive_loop(std::shared_ptr<udp::socket> socket);
    awaitable<void> tick_loop();
    awaitable<void> resolve_loop();
    template <class Event>
    awaitable<Event> wait_for(waiters<Event>& all, dht::operation_id operation);
    template <class Event>
    static void finish(waiters<Event>& all, const Event& end);
    void pump();   // after every call of the machine: what it has to send and to say
    void happened(const dht::event& e);
    void judge_reachable();
    void load_table();
    void save_table();

    asio::io_context& io_;
    settings settings_;
    std::array<std::shared_ptr<udp::socket>, 2> sockets_;   // by family
    asio::steady_timer timer_, resolve_timer_;
    std::optional<dht::node> machine_;
    waiters<dht::get_finished> gets_;
    waiters<dht::put_finished> puts_;
    std::string seen_, mapped_;                         // our address: as others see it, as the router says
    bool reachable_ = false, stopping_ = false;
};

}  // namespace pp::net

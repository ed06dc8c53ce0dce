// Finding contacts on the local network without any server: encrypted multicast beacons (04-network 4.5.4,
// proto/peer/SPEC.md "Beacon"). Only who knows an account's address can read or recognise its beacon.
#pragma once

#include "daemon/net/asio.hpp"
#include "daemon/services/node.hpp"
#include "proto/peer/messages.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace pp::net {

inline constexpr auto beacon_interval = std::chrono::seconds(40);
inline constexpr auto beacon_answer_interval = std::chrono::seconds(5);   // at most one answer in so long
inline constexpr auto sighting_lifetime = std::chrono::minutes(3);
inline constexpr std::size_t sightings_max = 4096;
inline constexpr const char* beacon_group_v4 = "239.255.80.80";
inline constexpr const char* beacon_group_v6 = "ff02::5050";

class discovery {
public:
    // Who wants to be found and who has been seen.
    struct listener {
        virtual ~listener() = default;
        virtual std::vector<crypto::account_key> looked_for() = 0;   // contacts and open recipients of all accounts
        virtual void seen_on_lan(const crypto::account_key& peer) = 0;
    };

    discovery(asio::io_context& io, services::node& node);
    void start(listener& l);
    void stop();
    // The network is another: listens there too, and tells it that we are there.
    void network_changed();
    // Endpoints a peer has announced lately; empty when it was not seen.
    std::vector<std::string> endpoints_of(const crypto::account_key& peer) const;

private:
    awaitable<void> announce_loop();
    awaitable<void> listen_loop(udp::socket& socket);
    bool open(udp::socket& socket, bool v6);
    void join_groups();
    void announce();
    void heard(bytes_view datagram);
    void refresh_tags();

    struct sighting {
        std::vector<std::string> endpoints;
        peer::unix_s sent_at = 0;
        std::chrono::steady_clock::time_point at;
    };
    asio::io_context& io_;
    services::node& node_;
    listener* listener_ = nullptr;
    udp::socket v4_, v6_;
    // Where we listen: interfaces come and go, and a socket may be in so many groups only.
    std::set<std::string> joined_v4_;                                 // by an address of the interface
    std::set<unsigned> joined_v6_;                                    // by its number
    asio::steady_timer timer_;
    std::map<std::array<std::byte, 8>, crypto::account_key> tags_;    // of whom we look for, yesterday to tomorrow
    std::chrono::steady_clock::time_point tags_made_{}, last_answer_{};
    std::map<crypto::account_key, sighting> seen_;
    bool stopping_ = false;
};

}  // namespace pp::net

// Being found and finding people through the DHT (04-network 4.5.3, 4.7; proto/dht/SPEC.md, "Record"): puts the records
// of our accounts and of this device there, and looks for the devices of people who cannot be reached where they were.
// Looks for whom something waits, and for every contact once a day in random order: a lookup tells the nodes asked that
// somebody wants to know, so it is not to tell when one writes to whom.
#pragma once

#include "daemon/net/dht_socket.hpp"
#include "daemon/services/node.hpp"
#include "proto/dht/publish_schedule.hpp"
#include "proto/dht/record.hpp"
#include "proto/peer/return_path.hpp"
#include "proto/relay/address.hpp"

#include <map>
#include <set>

namespace pp::net {

inline constexpr auto found_lifetime = std::chrono::minutes(10);       // 04-network 4.5.3
inline constexpr auto not_found_lifetime = std::chrono::minutes(5);    // 04-network 4.5.7
inline constexpr auto not_reached_lifetime = std::chrono::seconds(20);   // no node answered: we may be starting
inline constexpr std::size_t searches_max = 8;                         // at the same time
inline constexpr std::size_t found_people_max = 1024;
inline constexpr std::size_t devices_asked_max = 4;                    // of one person
// 04-network 4.7: of all contacts, in random order
inline constexpr auto prefetch_interval = std::chrono::hours(24);
// after the start, at the earliest; an hour at the latest
inline constexpr auto prefetch_first = std::chrono::minutes(10);
inline constexpr auto prefetch_pause = std::chrono::seconds(60);       // between two contacts, at most
inline constexpr std::uint32_t record_lifetime_s = 3 * 60 * 60;        // two publications may fail

class finder {
public:
    struct listener {
        virtual ~listener() = default;
        virtual void found(const crypto::account_key& peer) = 0;   // endpoints_of() has something new
        // Her record says where a first mail may wait for her and what work she asks for it. told_at: Unix seconds.
        virtual void found_way(const crypto::account_key& peer, peer::return_path way, std::uint8_t work_bits,
                               std::int64_t told_at) = 0;
    };

    finder(asio::io_context& io, services::node& node, dht_socket& dht, dht::network kind);
    void start(listener& l);
    void stop();

    // Looks for the peer's devices, unless that was done lately or is under way. known: from a record of hers.
    void look_for(const crypto::account_key& peer, std::vector<crypto::device_key> known);
    // What was found lately, as "host:port"; empty when nothing was.
    std::vector<std::string> endpoints_of(const crypto::account_key& peer) const;

    // Her slots at relays, as far as they were found lately.
    std::vector<relay::slot_address> slots_of(const crypto::account_key& peer) const;

    // What stands of an account there: of the last publication of each of its records, the fewest nodes that keep one.
    struct standing {
        std::size_t replicas = 0;
        std::chrono::steady_clock::time_point at{};
    };
    std::optional<standing> standing_of(const std::string& label) const;

private:
    struct search {
        bool running = false;
        std::chrono::steady_clock::time_point again_at{};
        std::vector<std::string> endpoints;
        std::vector<relay::slot_address> slots;
    };
    void notice_clock_jump();
    void note_way(const crypto::account_key& peer, const dht::record& of_account);
    awaitable<void> publish_loop();
    awaitable<void> publish(services::account& a);
    // How many nodes keep it.
    awaitable<std::size_t> put(services::account& a, dht::record r, dht::discovery_day day, bool of_device);
    awaitable<void> prefetch_loop();
    awaitable<void> find(crypto::account_key peer, std::vector<crypto::device_key> known);
    struct answer {
        std::optional<dht::record> record;
        bool reached = false;        // some node answered
    };
    awaitable<answer> read(dht::record_place place);
    void forget_old();

    asio::io_context& io_;
    services::node& node_;
    dht_socket& dht_;
    dht::network kind_;
    dht::dice dice_;
    listener* listener_ = nullptr;
    asio::steady_timer timer_, prefetch_timer_;
    struct publication {
        dht::publish_schedule schedule;
        std::uint64_t record_sequence = 0;                     // of the account record that was published last
        std::optional<standing> stands;
    };
    std::map<std::string, publication> publications_;          // by account label
    std::map<crypto::account_key, search> searches_;
    std::size_t running_ = 0;
    storage::unix_ms last_wall_ = 0;                           // at the last look at the clock
    std::chrono::steady_clock::time_point last_steady_{};
    bool stopping_ = false;
};

}  // namespace pp::net

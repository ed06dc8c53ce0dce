// Being reachable through one's relays (proto/relay/SPEC.md, "RESERVE"): a link to each relay that an account's record
// names, on which circuits for the account may come in. The link shows the account, as RESERVE wants, on a device key
// of its own made for it: it is no place to deliver mail to. One network thread.
#pragma once

#include "daemon/net/nat/circuit_ends.hpp"
#include "daemon/net/relay_call.hpp"
#include "daemon/services/node.hpp"
#include "proto/relay/address.hpp"

#include <array>
#include <functional>
#include <map>
#include <string>

namespace pp::net {

inline constexpr auto relays_look = std::chrono::seconds(30);           // for new accounts, as finder does
// 04-network 4.5.7: relay reconnect; the last one for ever
inline constexpr std::array<std::chrono::seconds, 6> relay_reconnect{
    std::chrono::seconds(1),  std::chrono::seconds(2),  std::chrono::seconds(5),
    std::chrono::seconds(15), std::chrono::seconds(60), std::chrono::seconds(300)};
inline constexpr auto no_circuits_pause = std::chrono::hours(1);        // the relay serves none
inline constexpr std::size_t calls_at_once_max = 16;                    // of all relays, before their TLS

class reservations {
public:
    // came: a circuit's stream, and the link to its relay.
    using came = std::function<void(circuit_end)>;
    reservations(asio::io_context& io, services::node& node) : io_(io), node_(node), timer_(io) {}

    void start(came f);
    void stop();
    // An account uses other relays than before.
    void look() { timer_.cancel(); }
    // The network is another: dials at once what is not connected, and anew what may have died with it.
    void network_changed();

private:
    struct place {
        explicit place(asio::io_context& io) : timer(io) {}
        relay::slot_address at;
        asio::steady_timer timer;
        std::shared_ptr<relay_call> call;
        bool reserved = false, wanted = true;
        std::size_t failures = 0;
        int generation = 0;              // of the network: a pause that was begun before is over
    };
    using place_key = std::pair<std::string, crypto::account_key>;      // account label, relay
    awaitable<void> look_loop();
    awaitable<void> keep(services::account& mine, std::shared_ptr<place> p);
    awaitable<std::chrono::milliseconds> hold(services::account& mine, std::shared_ptr<place> p);
    awaitable<void> accept(std::shared_ptr<relay_call> call, relay::incoming_request request);

    asio::io_context& io_;
    services::node& node_;
    asio::steady_timer timer_;
    came came_;
    std::map<place_key, std::shared_ptr<place>> places_;
    std::size_t coming_ = 0;
    bool stopping_ = false;
};

}  // namespace pp::net

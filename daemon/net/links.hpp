// All live links of this node, by the pair of accounts they speak for; dialling, the choice between two links to the
// same peer, and what was learnt of peers in their HELLO. One network thread.
#pragma once

#include "daemon/engine/endpoints.hpp"
#include "daemon/net/bell.hpp"
#include "daemon/net/nat/circuit_ends.hpp"
#include "daemon/net/peer_link.hpp"
#include "daemon/services/node.hpp"
#include "proto/relay/address.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace pp::net {

inline constexpr auto connect_limit = std::chrono::seconds(5);           // 04-network 4.5.7
inline constexpr auto peer_handshake_limit = std::chrono::seconds(5);
inline constexpr auto dial_stagger = std::chrono::milliseconds(250);     // RFC 8305 section 5
inline constexpr auto circuit_delay = std::chrono::milliseconds(500);    // after direct ones (04-network 4.5.6)
// Two links to one peer that came up within so long of each other were begun at the same time; later than that, who
// dials anew has lost the old one: nobody says HELLO while a link is up.
// The way there and back of a HELLO, and to spare.
inline constexpr auto race_window = std::chrono::seconds(3);
// So long a second way to a peer waits for what becomes of a HELLO on the first; less than the peer waits for a HELLO.
inline constexpr auto hello_turn_limit = std::chrono::seconds(2);
inline constexpr auto idle_link_limit = std::chrono::minutes(5);
inline constexpr std::size_t strangers_records_max = 1024;
// a household's, also behind one address of a provider
inline constexpr std::size_t links_of_one_address = 16;

class links : public peer_link::owner {
public:
    // Who listens to what happens on links.
    struct listener {
        virtual ~listener() = default;
        virtual void link_up(services::account& mine, std::shared_ptr<peer_link> link) = 0;
        virtual void link_down(services::account& mine, const crypto::account_key& theirs) = 0;
        // Any link's end, also of one that was no way to its account.
        virtual void link_over(const peer_link& link) = 0;
        virtual awaitable<bytes> requested(services::account& mine, std::shared_ptr<peer_link> link,
                                           std::string protocol, bytes message) = 0;
    };
    // Who makes direct links of links through a relay (proto/punch/SPEC.md).
    struct hole_puncher {
        virtual ~hole_puncher() = default;
        virtual void circuit_up(std::shared_ptr<peer_link> link) = 0;
        virtual bytes punch_asked(std::shared_ptr<peer_link> link, bytes message) = 0;
    };

    links(asio::io_context& io, services::node& node);

    void set_listener(listener* l) { listener_ = l; }
    void set_puncher(hole_puncher* p) { puncher_ = p; }
    // What becomes of a connection that joins a circuit here; returns when it is over. joined() is called when it has.
    using join_handler =
        std::function<awaitable<void>(any_stream stream, waiting_room::ticket place, std::function<void()> joined)>;
    void set_join(join_handler f) { join_ = std::move(f); }
    void accepted(tcp::socket socket);                       // from the peer listener
    void called(circuit_end end);                            // somebody comes through a relay
    // A hole that has been punched: the peer of this link is at its other end.
    void punched(std::shared_ptr<peer_link> over, tcp::socket socket);
    // Dials a listener of the peer of this link.
    void dial_listener(std::shared_ptr<peer_link> over, engine::endpoint where);
    // A ready link, or null.
    std::shared_ptr<peer_link> find(const crypto::account_key& mine, const crypto::account_key& theirs) const;
    // All that are ready, of one account of ours.
    std::vector<std::shared_ptr<peer_link>> of(const crypto::account_key& mine) const;
    // A record of this peer that did not come with a HELLO; believed for its signature, kept when it is newer.
    void learn_record(services::account& mine, const crypto::account_key& theirs, const bytes& record);
    // Tries every endpoint, staggered, and half a second later the relays of the peer's record; true when a link is up
    // afterwards. why tells the last failures.
    awaitable<bool> dial(services::account& mine, crypto::account_key theirs, std::vector<engine::endpoint> endpoints,
                         std::string& why);
    // The newest record of a peer: from its contact or from a HELLO.
    std::optional<peer::account_record> record_of(services::account& mine, const crypto::account_key& theirs) const;

    void set_mapped(bool on) { mapped_ = on; }               // the router has a way in for us
    // The addresses of this machine are others now: circuits try again to become direct links.
    void network_changed();
    void close_idle();
    void stop();
    struct live {
        std::string mine, theirs, remote;
        engine::path path;
        bool dialled;
    };
    std::vector<live> snapshot() const;
    std::size_t count() const { return all_.size(); }

    peer::hello_verdict greeted(peer_link& link, const peer::hello& theirs) override;
    void came_up(peer_link& link) override;
    awaitable<bytes> requested(std::shared_ptr<peer_link> link, std::string protocol, bytes message) override;
    void ended(peer_link& link) override;

private:
    using pair_key = std::pair<crypto::account_key, crypto::account_key>;
    struct by_number {
        bool operator()(const std::shared_ptr<peer_link>& a, const std::shared_ptr<peer_link>& b) const {
            return a->number() < b->number();
        }
    };

    // How a connection came about, beside its stream.
    struct origin {
        std::string name;                        // of the endpoint, for sentences
        std::string good_endpoint;               // worth to be dialled again
        engine::path path = engine::path::direct;
        std::shared_ptr<relay_call> through;
        std::optional<crypto::account_key> only; // the account it must be
    };
    void take(any_stream stream, origin from);
    awaitable<void> serve(any_stream stream, origin from, waiting_room::ticket place);
    bool cut_of_the_greediest(std::size_t fair);   // a link of the address that has most of them
    awaitable<void> attempt(services::account& mine, crypto::account_key theirs, engine::endpoint endpoint,
                            std::shared_ptr<std::string> why);
    awaitable<void> attempt_circuit(services::account& mine, crypto::account_key theirs, relay::slot_address at,
                                    std::chrono::milliseconds delay, std::shared_ptr<std::string> why);
    awaitable<void> greet(services::account& mine, crypto::account_key theirs, any_stream stream, origin from,
                          std::shared_ptr<std::string> why);
    bool greets(const crypto::account_key& mine, const crypto::account_key& theirs, engine::path kind) const;
    awaitable<void> wait_for_link(services::account& mine, crypto::account_key theirs,
                                  std::chrono::steady_clock::duration longest,
                                  std::shared_ptr<std::size_t> open_attempts);
    peer::hello hello_for(services::account& mine, std::string observed) const;
    bool keep(peer_link& fresh, const pair_key& key);
    void learn(services::account& mine, const peer::hello& theirs, const std::string& good_endpoint);
    void keep_record(services::account& mine, const crypto::account_key& account, bytes record,
                     std::string good_endpoint);

    asio::io_context& io_;
    services::node& node_;
    listener* listener_ = nullptr;
    hole_puncher* puncher_ = nullptr;
    join_handler join_;
    bool mapped_ = false;
    bell changed_;                  // a link has become ready or has ended, an attempt is over, or all stops
    std::shared_ptr<asio::ssl::context> server_tls_, client_tls_;
    std::map<pair_key, std::shared_ptr<peer_link>> ready_;
    std::set<std::shared_ptr<peer_link>, by_number> all_;
    waiting_room newcomers_;        // incoming ones before their HELLO
    std::size_t incoming_ = 0;      // connections to the peer listener, also in their handshake
    std::map<crypto::account_key, peer::account_record> records_;   // of peers that are no contacts; bounded
    bool stopping_ = false;
};

}  // namespace pp::net

// All live links of this node, by the pair of accounts they speak for; dialling, the choice between two links to the
// same peer, and what was learnt of peers in their HELLO. One network thread.
#pragma once

#include "daemon/engine/endpoints.hpp"
#include "daemon/net/peer_link.hpp"
#include "daemon/services/node.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace pp::net {

inline constexpr auto connect_limit = std::chrono::seconds(5);           // 04-network 4.5.7
inline constexpr auto peer_handshake_limit = std::chrono::seconds(5);
inline constexpr auto dial_stagger = std::chrono::milliseconds(250);     // RFC 8305 section 5
inline constexpr auto idle_link_limit = std::chrono::minutes(5);
inline constexpr std::size_t strangers_records_max = 1024;

class links : public peer_link::owner {
public:
    // Who listens to what happens on links.
    struct listener {
        virtual ~listener() = default;
        virtual void link_up(services::account& mine, std::shared_ptr<peer_link> link) = 0;
        virtual void link_down(services::account& mine, const crypto::account_key& theirs) = 0;
        virtual awaitable<bytes> requested(services::account& mine, std::shared_ptr<peer_link> link,
                                           std::string protocol, bytes message) = 0;
    };

    links(asio::io_context& io, services::node& node);

    void set_listener(listener* l) { listener_ = l; }
    void accepted(tcp::socket socket);                       // from the peer listener
    // A ready link, or null.
    std::shared_ptr<peer_link> find(const crypto::account_key& mine, const crypto::account_key& theirs) const;
    // All that are ready, of one account of ours.
    std::vector<std::shared_ptr<peer_link>> of(const crypto::account_key& mine) const;
    // A record of this peer that did not come with a HELLO; believed for its signature, kept when it is newer.
    void learn_record(services::account& mine, const crypto::account_key& theirs, const bytes& record);
    // Tries every endpoint, staggered; true when a link is up afterwards. why tells the last failure.
    awaitable<bool> dial(services::account& mine, crypto::account_key theirs, std::vector<engine::endpoint> endpoints,
                         std::string& why);
    // The newest record of a peer: from its contact or from a HELLO.
    std::optional<peer::account_record> record_of(services::account& mine, const crypto::account_key& theirs) const;

    void close_idle();
    void stop();
    struct live {
        std::string mine, theirs, remote;
        bool dialled;
    };
    std::vector<live> snapshot() const;
    std::size_t count() const { return all_.size(); }

    peer::hello_verdict greeted(peer_link& link, const peer::hello& theirs) override;
    awaitable<bytes> requested(std::shared_ptr<peer_link> link, std::string protocol, bytes message) override;
    void ended(peer_link& link) override;

private:
    using pair_key = std::pair<crypto::account_key, crypto::account_key>;

    awaitable<void> serve(tcp::socket socket, waiting_room::ticket place);
    awaitable<void> attempt(services::account& mine, crypto::account_key theirs, engine::endpoint endpoint,
                            std::shared_ptr<std::string> why);
    awaitable<void> wait_for_link(services::account& mine, crypto::account_key theirs,
                                  std::chrono::steady_clock::duration longest,
                                  std::shared_ptr<std::size_t> open_attempts);
    peer::hello hello_for(services::account& mine, std::string observed) const;
    bool keep(peer_link& fresh, const pair_key& key);
    void learn(services::account& mine, const peer::hello& theirs, const std::string& good_endpoint);
    void keep_record(services::account& mine, const crypto::account_key& account, bytes record, std::string good_endpoint);

    asio::io_context& io_;
    services::node& node_;
    listener* listener_ = nullptr;
    std::shared_ptr<asio::ssl::context> server_tls_, client_tls_;
    std::map<pair_key, std::shared_ptr<peer_link>> ready_;
    std::set<std::shared_ptr<peer_link>> all_;
    waiting_room newcomers_;        // incoming ones before their HELLO
    std::size_t incoming_ = 0;      // connections to the peer listener, also in their handshake
    std::map<crypto::account_key, peer::account_record> records_;   // of peers that are no contacts; bounded
    bool stopping_ = false;
};

}  // namespace pp::net

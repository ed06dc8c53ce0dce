// The relay role on live links (proto/relay/SPEC.md): one server machine for each link that asks, steps of the desk run
// where they belong, hints of news to those who are attached. One network thread.
#pragma once

#include "daemon/engine/slot_grace.hpp"
#include "daemon/net/nat/circuit_exchange.hpp"
#include "daemon/services/node.hpp"
#include "proto/relay/server_session.hpp"

#include <map>
#include <memory>

namespace pp::net {

// An owner who is there counts as having come so often (storage/relay/limits.hpp, slot_idle_s_max): links last as long
// as both computers do.
inline constexpr std::int64_t attached_touch_s = 86400;

class relay_service {
public:
    relay_service(asio::io_context& io, services::node& node, asio::thread_pool& workers)
        : node_(node),
          workers_(workers),
          circuits_(io, node.relay() ? node.relay()->circuits() : engine::circuit_rules{}, [this] { count(); }) {}
    circuit_exchange& circuits() { return circuits_; }

    // One request on a link to `mine`. A node that is no relay refuses all.
    awaitable<bytes> requested(services::account& mine, std::shared_ptr<peer_link> link, std::string protocol,
                               bytes message);
    void link_over(const peer_link& link);
    // Each minute: forgets links that are gone, ends what is due. now: Unix seconds.
    awaitable<void> upkeep(std::int64_t now);

private:
    struct client {
        explicit client(relay::server_options options) : session(std::move(options)) {}
        std::weak_ptr<peer_link> link;
        relay::server_session session;
        std::size_t attached = 0;                    // slots the session had proved when last looked at
        std::int64_t touched_at = 0;                 // Unix seconds: when the store last heard that it is there
        std::map<relay::slot_id, bool> hinted;       // told of news since its last LIST
        std::chrono::steady_clock::time_point last_hint{};
    };
    awaitable<relay::verdict> answer(relay::event asked, std::shared_ptr<peer_link> link, std::shared_ptr<client> one);
    awaitable<result<void>> commit(services::relay_role::job work);
    engine::relay_client describe(const crypto::account_key& who) const;
    void touch_slots(std::int64_t now);
    void tell(const relay::slot_id& slot);
    awaitable<void> hint(std::shared_ptr<client> to, relay::slot_id slot);
    void count();

    services::node& node_;
    asio::thread_pool& workers_;
    circuit_exchange circuits_;
    engine::slot_grace grace_;
    std::map<std::uint64_t, std::shared_ptr<client>> clients_;   // by the link's number
};

}  // namespace pp::net

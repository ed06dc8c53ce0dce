// A link to a relay as its client: dialled with an identity of its own, so that a depositor is nobody
// (proto/relay/SPEC.md, "Links"), and the machines of a client played over it. One network thread.
#pragma once

#include "daemon/engine/endpoints.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/bell.hpp"
#include "daemon/net/peer_link.hpp"
#include "proto/relay/collector.hpp"
#include "proto/relay/depositor.hpp"
#include "proto/relay/seed_fetch.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pp::net {

// Of one request, a piece of a seed over a slow line. A relay that answers PING and nothing else would keep for ever
// what waits for it, and the place among those that may be under way.
inline constexpr auto relay_answer_limit = std::chrono::milliseconds(std::chrono::minutes(3));

// Who a link to a relay says it is.
struct relay_identity {
    crypto::signing_key device;
    peer::device_certificate certificate;
    bytes record;                                // encoded
};
// Made for one link and forgotten with it.
relay_identity throw_away_identity(peer::unix_s now);

class relay_call : public peer_link::owner, public std::enable_shared_from_this<relay_call> {
public:
    // The first endpoint that answers as this relay; null and why when none does.
    static awaitable<std::shared_ptr<relay_call>> dial(asio::io_context& io, relay_identity who,
                                                       crypto::account_key relay,
                                                       std::vector<engine::endpoint> endpoints, std::string& why);

    // Over a link that is up already between two accounts, and stays up: where a relay wants to know who asks. It is
    // told no news.
    static std::shared_ptr<relay_call> over(asio::io_context& io, std::shared_ptr<peer_link> link);

    // Without an answer within `patience` the link is cut.
    awaitable<result<bytes>> ask(std::string_view protocol, bytes message);
    std::chrono::milliseconds patience = relay_answer_limit;
    // What the relay tells by itself; set before there can be any. NEWS is answered by itself.
    std::function<void(const relay::slot_id&)> on_news;
    // The same of calls for a circuit: true when it is taken.
    std::function<bool(const relay::incoming_request&)> on_incoming;
    std::function<void()> on_ended;              // the link is over
    bool alive() const { return link_ && link_->ready(); }
    void hang_up();
    void cut();                // at once: what was asked fails
    // Where it is, what its device key is, our end of the connection, and our endpoint as it sees us; once dialled.
    const engine::endpoint& where() const { return where_; }
    const crypto::device_key& device() const { return link_->peer_device(); }
    const tcp::endpoint& local() const { return link_->local(); }
    const std::string& observed() const { return observed_; }

    peer::hello_verdict greeted(peer_link& link, const peer::hello& theirs) override;
    void came_up(peer_link& link) override;
    awaitable<bytes> requested(std::shared_ptr<peer_link> link, std::string protocol, bytes message) override;
    void ended(peer_link& link) override;

private:
    relay_call(asio::io_context& io, std::optional<relay_identity> who)
        : io_(io), who_(std::move(who)), changed_(io.get_executor()) {}
    awaitable<std::string> attempt(crypto::account_key relay, engine::endpoint endpoint);

    asio::io_context& io_;
    std::optional<relay_identity> who_;          // nobody: of a link that is not ours
    std::optional<crypto::device_identity> shown_;
    std::shared_ptr<peer_link> link_;
    engine::endpoint where_;
    std::string observed_;
    bool over_ = false, borrowed_ = false;
    bell changed_;                               // the link has become ready, or is over
};

// The walks of a client, each to its end. What they ask beside the relay is answered by the functions; work is done on
// the workers. `read` gives bytes of header | ciphertext.
using read_content = std::function<awaitable<result<bytes>>(std::uint64_t offset, std::size_t length_bytes)>;
awaitable<relay::deposit_over> play(std::shared_ptr<relay_call> call, relay::deposit_options options, read_content read,
                                    asio::thread_pool& workers);
// take: stores items and returns the numbers that are durable (or useless). wait: after a round; true for another one.
using take_items = std::function<awaitable<std::vector<std::uint64_t>>(std::vector<relay::listed_item> items)>;
using wait_for_more = std::function<awaitable<bool>(relay::round_over round)>;
awaitable<relay::collect_over> play(std::shared_ptr<relay_call> call, relay::collect_options options, take_items take,
                                    wait_for_more wait, asio::thread_pool& workers);
// keep: stores a piece; false ends the walk.
using keep_piece = std::function<awaitable<bool>(std::uint64_t offset, bytes content)>;
awaitable<relay::fetch_over> play(std::shared_ptr<relay_call> call, relay::fetch_options options, keep_piece keep);

}  // namespace pp::net

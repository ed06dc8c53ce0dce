// One live link to another node: stream, peer::session and pump, with requests as awaitables. Created by the dialler or
// the listener; who the other side is has been decided when ready() holds. One network thread.
#pragma once

#include "daemon/engine/path.hpp"
#include "daemon/net/pump.hpp"
#include "daemon/net/waiting_room.hpp"
#include "proto/peer/session.hpp"

#include <map>
#include <memory>
#include <optional>

namespace pp::net {

class relay_call;

// What a link that is over still has to say goes out so long.
inline constexpr auto last_words_limit = std::chrono::seconds(5);

class peer_link : public std::enable_shared_from_this<peer_link> {
public:
    // What the owner of the links decides.
    struct owner {
        virtual ~owner() = default;
        // The peer's HELLO has been verified; a listener returns the HELLO to answer with.
        virtual peer::hello_verdict greeted(peer_link& link, const peer::hello& theirs) = 0;
        // ready() holds from here on: requests go.
        virtual void came_up(peer_link& link) = 0;
        virtual awaitable<bytes> requested(std::shared_ptr<peer_link> link, std::string protocol, bytes message) = 0;
        virtual void ended(peer_link& link) = 0;
    };

    peer_link(any_stream stream, peer::link_options options, owner& o);

    awaitable<void> run();
    // The peer's reply, or why there is none. Any coroutine of the same thread.
    // An answer larger than answer_bytes_max is an error (0: the protocol's limit). One that has not come within
    // `longest` is waited for no more.
    awaitable<result<bytes>> ask(std::string_view protocol, bytes message, std::size_t answer_bytes_max = 0,
                                 std::chrono::milliseconds longest = std::chrono::milliseconds::max());
    void go_away();
    void close();

    bool ready() const { return session_.ready(); }
    // false while a link that is ready comes to its end
    bool takes_requests() const { return session_.takes_requests(); }
    bool dialled() const { return dialled_; }
    const crypto::device_key& peer_device() const { return peer_device_; }
    // After greeted(): whose links these are.
    crypto::account_key mine{}, theirs{};
    waiting_room::ticket place;                // of an incoming link, until its HELLO is accepted
    bool waits_for_news = false;               // of a relay's client: silence is what it is for
    std::uint32_t wrong_work = 0;              // solutions of a stranger that were none
    bool was_welcome = false;                  // when it came up its account was neither blocked nor removed
    std::string dialled_endpoint;              // empty on links the peer has dialled
    engine::path path = engine::path::direct;
    std::shared_ptr<relay_call> through;       // of a circuit: the link to its relay, where we have one
    std::chrono::steady_clock::time_point ready_at{};
    std::string remote_endpoint() const { return stream_.remote_endpoint(); }
    const tcp::endpoint& local() const { return stream_.local(); }
    std::uint64_t number() const { return number_; }
    asio::any_io_executor executor() { return stream_.executor(); }
    std::chrono::steady_clock::time_point last_used() const { return last_used_; }

    awaitable<peer::verdict> operator()(peer::event question);

private:
    awaitable<peer::verdict> on(peer::hello_received q);
    awaitable<peer::verdict> on(peer::link_ready q);
    awaitable<peer::verdict> on(peer::request_received q);
    awaitable<peer::verdict> on(peer::response_received q);
    awaitable<peer::verdict> on(peer::link_ended q);

    struct waiting_reply {
        explicit waiting_reply(asio::any_io_executor ex) : timer(std::move(ex)) {}
        asio::steady_timer timer;
        std::optional<result<bytes>> reply;
    };

    any_stream stream_;
    peer::session session_;
    asio::steady_timer last_words_;
    pump<peer::session> pump_;
    owner& owner_;
    crypto::device_key peer_device_;
    bool dialled_;
    bool over_ = false;
    std::uint64_t number_;
    std::chrono::steady_clock::time_point last_used_;
    std::map<std::uint64_t, std::shared_ptr<waiting_reply>> waiting_;
};

}  // namespace pp::net

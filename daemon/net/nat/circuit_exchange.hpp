// A relay's circuits (proto/relay/SPEC.md, "Circuits"): reservations and calls on live links, connections that join,
// and the byte pipe between two of them. What is allowed stands in engine/circuit_table; what passes is counted, never
// looked at, and nothing of who it was is logged. One network thread.
#pragma once

#include "daemon/engine/circuit_table.hpp"
#include "daemon/net/peer_link.hpp"
#include "proto/relay/server_session.hpp"

#include <map>
#include <memory>

namespace pp::net {

// A target says at once whether it comes. One that says nothing may be on a link that is dead and does not know it yet:
// the caller, who is asked nothing else meanwhile, does not wait for that.
inline constexpr auto incoming_answer_limit = std::chrono::seconds(4);

class circuit_exchange {
public:
    // changed: circuits() or reservations() is another.
    circuit_exchange(asio::io_context& io, engine::circuit_rules rules, std::function<void()> changed)
        : io_(io), table_(rules), changed_(std::move(changed)) {}

    // tag: of the account that the link has proved.
    relay::reply<relay::reserve_reply> reserve(std::shared_ptr<peer_link> link, const relay::circuit_tag& tag,
                                               std::uint32_t ttl_s);
    awaitable<relay::reply<relay::connect_reply>> connect(std::shared_ptr<peer_link> caller,
                                                          relay::circuit_wanted wanted);
    // A connection of circuits, after its handshake; returns when it is over. joined() is called when it is a pipe;
    // until then it may be cut to make room.
    awaitable<void> join(any_stream stream, waiting_room::ticket place, std::function<void()> joined);
    bool has_reserved(std::uint64_t link) const { return links_.contains(link); }

    void link_over(std::uint64_t link);
    void upkeep();     // each minute
    void stop();       // cuts the pipes
    std::size_t circuits() const { return table_.circuits(); }
    std::size_t reservations() const { return table_.reservations(); }

private:
    struct pipe;
    struct side;
    awaitable<void> copy(std::shared_ptr<side> from, std::shared_ptr<side> to, std::shared_ptr<pipe> p);

    asio::io_context& io_;
    engine::circuit_table table_;
    std::function<void()> changed_;
    std::map<std::uint64_t, std::weak_ptr<peer_link>> links_;             // that have reserved
    std::map<relay::array16, std::shared_ptr<side>> waiting_;             // for their other side
    std::map<relay::array16, std::weak_ptr<pipe>> pipes_;
    bool stopping_ = false;
};

}  // namespace pp::net

// Direct links out of links through a relay: the daemon's part of hole punching (proto/punch/SPEC.md).
// Who dialled the circuit runs the rounds; both sides dial when GO comes. A hole that opens is a link like any other:
// links prefers it to the circuit, whose open requests finish where they are. One network thread.
#pragma once

#include "daemon/net/links.hpp"
#include "proto/punch/initiator.hpp"

#include <functional>
#include <map>

namespace pp::net {

class puncher : public links::hole_puncher {
public:
    // way_in: where the router lets others in, as "host:port"; empty without.
    puncher(asio::io_context& io, services::node& node, links& peers, std::function<std::string()> way_in)
        : io_(io), node_(node), links_(peers), way_in_(std::move(way_in)) {}

    void circuit_up(std::shared_ptr<peer_link> link) override;      // also: try again, the addresses are others
    bytes punch_asked(std::shared_ptr<peer_link> link, bytes message) override;
    void stop();

private:
    struct round_of {
        explicit round_of(asio::io_context& io) : timer(io) {}
        punch::initiator machine;
        asio::steady_timer timer;
    };
    // What a peer has offered, until its GO.
    struct offer_of {
        std::vector<punch::candidate> candidates;
        bool dialling = false;
        unsigned rounds = 0;             // that we dialled for it
    };
    awaitable<void> run(std::shared_ptr<peer_link> link, std::shared_ptr<round_of> r);
    awaitable<punch::verdict> answer(std::shared_ptr<peer_link> link, punch::event e);
    awaitable<void> say_go(std::shared_ptr<peer_link> link, bytes message);
    awaitable<bool> dial_all(std::shared_ptr<peer_link> link, std::vector<punch::candidate> theirs);
    awaitable<void> dial_hole(std::shared_ptr<peer_link> link, engine::endpoint where);
    std::vector<punch::candidate> candidates_for(const peer_link& link) const;
    bool is_direct(const peer_link& link) const;
    bool may_dial(const engine::endpoint& e) const;

    asio::io_context& io_;
    services::node& node_;
    links& links_;
    std::function<std::string()> way_in_;
    std::map<std::uint64_t, std::shared_ptr<round_of>> rounds_;             // by the circuit link's number
    std::map<std::uint64_t, std::shared_ptr<offer_of>> offered_;            // to us, by the circuit link's number
    bool stopping_ = false;
};

}  // namespace pp::net

// One search for the nodes nearest to a target, in one family: whom to ask next, and when it is over. Knows no time and
// sends nothing; the node tells it what came of its questions.
//
//   fresh --next()--> asked --answered()--> answered
//                       |  \--failed()----> failed         (no answer within the hard time-out, or a wrong one)
//                       \--slow()---------> slow           (frees its place among lookup_alpha;
//                                                         may still answer or fail)
#pragma once

#include "proto/dht/routing_table.hpp"

namespace pp::dht {

class lookup {
public:
    lookup(network kind, const node_id& target, const node_id& self) : network_(kind), target_(target), self_(self) {}

    // Who may be asked. Passed over: our own id, addresses that cannot be nodes, what is known already, and in mainline
    // a second node of one network.
    void add(const contact&);
    // A node whose id nobody knows yet: asked when nothing nearer is there.
    void add_entry(const endpoint&);

    // Whom to ask now, or nobody: enough are asked, or nothing fresh can matter.
    std::optional<endpoint> next();
    void slow(const endpoint&);
    void failed(const endpoint&);
    // The token is kept for the put. A node that answers with another id than it was named with counts as failed.
    void answered(const contact&, bytes_view token);

    // The nearest that count have answered, or nobody is left to be waited for. Slow ones are waited for only while
    // fewer than replicas_wanted have answered.
    bool finished() const;

    struct storing_node {
        endpoint at;
        bytes token;
    };
    // The nearest that gave a token; ids that fit their address first (BEP 42).
    std::vector<storing_node> nearest_with_token(std::size_t count) const;
    std::size_t answers() const;
    std::size_t asked() const { return asked_; }
    const node_id& target() const { return target_; }

private:
    enum class state { fresh, asked, slow, answered, failed };
    struct candidate {
        contact who;
        bool has_id = true;
        bool counts = true;     // its id fits its address: enough of these end the search, so that nobody can surround
        state now = state::fresh;   // the target with ids made up for it
        bytes token;
    };
    bool comes_before(const candidate&, const candidate&) const;
    candidate* find(const endpoint&);
    bool wanted(const endpoint&) const;
    void insert(candidate);
    std::size_t count(state) const;

    network network_;
    node_id target_, self_;
    std::vector<candidate> candidates_;   // nearest first
    std::size_t asked_ = 0;
};

}  // namespace pp::dht

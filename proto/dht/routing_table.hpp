// The nodes of one family that we know (BEP 5, "Routing Table"), in buckets by how many leading bits their ids share
// with ours. Only who has answered a question of ours is in it, or who was in a saved table and has yet to answer. In
// mainline, ids that fit their address (BEP 42) go before others, and no bucket holds two nodes of one network.
#pragma once

#include "proto/dht/krpc.hpp"

#include "proto/wire/dialogue.hpp"

namespace pp::dht {

using wire::time_point;   // always given from outside

enum class network {
    mainline,   // BitTorrent's, on the internet: public addresses only
    closed,     // one of our own: any addresses, many nodes on one machine
};

class routing_table {
public:
    routing_table(network kind, const node_id& self) : network_(kind), self_(self), buckets_(id_bits) {}

    // Moves all nodes to the buckets of a new id of ours.
    void change_self(const node_id& self, time_point now);

    // It answered a question: into the table if there is a place, the entry renewed if it is there.
    void answered(const contact&, time_point now);
    // From a saved table: taken as not yet good.
    void remembered(const contact&);
    // A question got no answer in time.
    void failed(const endpoint&);
    // Whether answering would get it a place, or a place in waiting.
    bool has_room_for(const contact&) const;

    // The nearest to a target. For answers: those that answered us and never failed since.
    std::vector<contact> closest(const node_id& target, std::size_t count) const;
    std::vector<contact> closest_for_answer(const node_id& target, std::size_t count) const;

    // A node that is to be asked whether it is still there; the same is not named again for a while.
    std::optional<contact> next_to_check(time_point now);
    // A bucket nothing was looked up in for bucket_refresh_every: how many bits its ids share with ours.
    std::optional<std::size_t> next_to_refresh(time_point now);

    std::size_t size() const;
    std::size_t good(time_point now) const;
    std::vector<contact> to_save(std::size_t most) const;   // those that answered last first

private:
    struct entry {
        contact who;
        std::optional<time_point> answered_at, checked_at;
        int failures = 0;
        bool fits = false;
    };
    struct bucket {
        std::vector<entry> nodes, waiting;
        std::optional<time_point> refreshed_at;
    };

    bucket& bucket_of(const node_id& id) { return buckets_[shared_bits(self_, id)]; }
    const bucket& bucket_of(const node_id& id) const { return buckets_[shared_bits(self_, id)]; }
    bool may_stand_in(const bucket&, const contact&) const;
    void insert(entry);
    void drop_other_ids_of(const contact&);
    static bool is_good(const entry&, time_point now);
    std::vector<contact> closest_where(const node_id& target, std::size_t count, bool proven) const;

    network network_;
    node_id self_;
    std::vector<bucket> buckets_;   // id_bits of them
};

}  // namespace pp::dht

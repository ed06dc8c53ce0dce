// What others store with us (BEP 44): at most stored_items_max items, each for stored_item_lifetime since it was last
// put. When it is full the items farthest from our id give way: nobody looks for them here.
#pragma once

#include "proto/dht/krpc.hpp"

#include "proto/wire/dialogue.hpp"

#include <map>

namespace pp::dht {

class item_store {
public:
    struct stored {
        std::optional<item_key> key;    // none: immutable
        std::int64_t sequence = 0;
        bytes value;
        crypto::signature sig;
        wire::time_point expires_at{};
    };

    // Refusals are those of BEP 44; what is right but has no place is server.
    std::optional<krpc_error> put(const mutable_item&, std::optional<std::int64_t> compare, const node_id& self,
                                  wire::time_point now);
    std::optional<krpc_error> put_immutable(bytes_view value, const node_id& self, wire::time_point now);
    // Valid until the next call.
    const stored* find(const node_id& target, wire::time_point now);
    void drop_expired(wire::time_point now);
    std::size_t size() const { return items_.size(); }

private:
    bool make_place_for(const node_id& target, const node_id& self, wire::time_point now);
    std::map<node_id, stored> items_;
};

}  // namespace pp::dht

#include "proto/dht/item_store.hpp"

#include "proto/dht/bencode.hpp"

#include <algorithm>

namespace pp::dht {

void item_store::drop_expired(wire::time_point now) {
    std::erase_if(items_, [now](const auto& item) { return now >= item.second.expires_at; });
}

bool item_store::make_place_for(const node_id& target, const node_id& self, wire::time_point now) {
    if (items_.size() < stored_items_max) return true;
    drop_expired(now);
    if (items_.size() < stored_items_max) return true;
    const auto farthest = std::max_element(items_.begin(), items_.end(), [&](const auto& a, const auto& b) {
        return nearer(self, a.first, b.first);
    });
    if (!nearer(self, target, farthest->first)) return false;
    items_.erase(farthest);
    return true;
}

std::optional<krpc_error> item_store::put(const mutable_item& item, std::optional<std::int64_t> compare,
                                          const node_id& self, wire::time_point now) {
    if (item.value.size() > value_bytes_max) return krpc_error::value_too_large;
    if (item.salt.size() > salt_bytes_max) return krpc_error::salt_too_large;
    if (!verify(item)) return krpc_error::bad_signature;
    const auto target = target_of(item.key, item.salt);
    if (const auto* old = find(target, now)) {
        // BEP 44: cas is the sequence number the writer expects here; the number never goes back, and one number stands
        // for one value.
        if (compare && *compare != old->sequence) return krpc_error::cas_mismatch;
        if (item.sequence < old->sequence) return krpc_error::sequence_too_low;
        if (item.sequence == old->sequence && item.value != old->value) return krpc_error::sequence_too_low;
    } else if (!make_place_for(target, self, now)) {
        return krpc_error::server;
    }
    items_[target] = {item.key, item.sequence, item.value, item.sig, now + stored_item_lifetime};
    return std::nullopt;
}

std::optional<krpc_error> item_store::put_immutable(bytes_view value, const node_id& self, wire::time_point now) {
    if (value.size() > value_bytes_max) return krpc_error::value_too_large;
    const auto target = target_of_immutable(value);
    if (!find(target, now) && !make_place_for(target, self, now)) return krpc_error::server;
    items_[target] = {std::nullopt, 0, to_bytes(value), {}, now + stored_item_lifetime};
    return std::nullopt;
}

const item_store::stored* item_store::find(const node_id& target, wire::time_point now) {
    const auto found = items_.find(target);
    if (found == items_.end()) return nullptr;
    if (now >= found->second.expires_at) {
        items_.erase(found);
        return nullptr;
    }
    return &found->second;
}

}  // namespace pp::dht

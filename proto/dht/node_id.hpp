// Ids of nodes and of what is stored: 160 bits, distance by XOR (BEP 5), and the binding of a node's id to its address
// (BEP 42), which makes it expensive to place nodes next to a chosen target.
#pragma once

#include "proto/dht/endpoint.hpp"

#include "crypto/sha1.hpp"

namespace pp::dht {

using node_id = crypto::fixed_bytes<struct node_id_tag, 20>;
inline constexpr std::size_t id_bits = node_id::size_bytes * 8;

inline node_id to_id(const crypto::hash160& hash) { return {hash.data}; }

// a is nearer to the target than b.
bool nearer(const node_id& target, const node_id& a, const node_id& b);
// Length of the common beginning; id_bits for equal ones.
std::size_t shared_bits(const node_id& a, const node_id& b);

// BEP 42: an id for the address from random bytes, of which the last also is the number r that enters the hash.
node_id id_for(bytes_view address, const node_id& random);
// The id belongs to this address, or the address is one of those that need none (private, loopback, link-local).
bool id_fits(const node_id& id, const endpoint& at);

}  // namespace pp::dht

// What the DHT stores (BEP 44): a mutable item is named by a key and a salt and carries a sequence number and a
// signature; an immutable one is named by its own hash.
#pragma once

#include "proto/dht/limits.hpp"
#include "proto/dht/node_id.hpp"

#include "crypto/primitives.hpp"

namespace pp::dht {

using item_key = crypto::fixed_bytes<struct item_key_tag, 32>;   // Ed25519 public key, blinded in our use

struct mutable_item {
    item_key key;
    bytes salt;                   // at most salt_bytes_max; not told in answers
    std::int64_t sequence = 0;
    bytes value;                  // bencoded, verbatim: these bytes are signed; at most value_bytes_max
    crypto::signature sig;

    bool operator==(const mutable_item&) const = default;
};

// SHA-1 of key and salt; of the bencoded value.
node_id target_of(const item_key& key, bytes_view salt);
node_id target_of_immutable(bytes_view value);

// What the signature covers: "4:salt<n>:<salt>" unless the salt is empty, "3:seqi<n>e1:v" and the bencoded value.
bytes signed_part(bytes_view salt, std::int64_t sequence, bytes_view value);

// Within the limits, the value one bencoded value, the signature of this key: errc::bad_item, errc::bad_signature.
result<void> verify(const mutable_item&);

}  // namespace pp::dht

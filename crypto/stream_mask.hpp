// A key stream over bytes that are authentic by other means: the same blob looks different wherever it waits, and
// nobody who holds two copies can tell that they are one (proto/relay/SPEC.md, "Seeds").
// No integrity; never the only layer.
#pragma once

#include "crypto/keys.hpp"

namespace pp::crypto {

// one content only: under two contents it would tell their difference
using mask_key = secret_bytes<struct mask_key_tag, 32>;

// XORs data with XChaCha20 under a zero nonce, beginning at `offset` of the stream. Twice gives the data back.
void mask_stream(const mask_key& key, std::uint64_t offset, mutable_bytes_view data);

}  // namespace pp::crypto

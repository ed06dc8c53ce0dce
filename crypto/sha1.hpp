// SHA-1 (FIPS 180-4), for the names that BitTorrent's DHT gives to what it stores (BEP 5, BEP 44) and nothing else:
// what is found under such a name is believed for its Ed25519 signature, never for its hash.
#pragma once

#include "crypto/keys.hpp"

#include <initializer_list>

namespace pp::crypto {

using hash160 = fixed_bytes<struct hash160_tag, 20>;

// The parts are taken one after the other, as one string.
hash160 sha1(std::initializer_list<bytes_view> parts);

}  // namespace pp::crypto

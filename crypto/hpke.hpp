// RFC 9180 base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305: what notifications are sealed with.
// Composed from libsodium's X25519 and OpenSSL's EVP; the RFC's vectors are in tests/crypto.
#pragma once

#include "crypto/primitives.hpp"

namespace pp::crypto::hpke {

inline constexpr std::size_t enc_bytes = 32;        // the ephemeral public key in front
inline constexpr std::size_t tag_bytes = 16;
inline constexpr std::size_t overhead_bytes = enc_bytes + tag_bytes;

// enc | ciphertext | tag. info binds the purpose, aad the place. Empty when the recipient's prekey is a point of small
// order: nobody's honest key, and RFC 9180 section 7.1.4 forbids to use it.
bytes seal(const prekey& recipient, bytes_view info, bytes_view aad, bytes_view plaintext);
// The same with a given ephemeral secret: for the RFC vectors, and where a signature inside must cover enc.
bytes seal_with(const prekey_secret& ephemeral, const prekey& recipient, bytes_view info, bytes_view aad,
                bytes_view plaintext);
// errc::bad_length, errc::not_authentic
result<bytes> open(const prekey_secret& recipient, bytes_view info, bytes_view aad, bytes_view sealed);

}  // namespace pp::crypto::hpke

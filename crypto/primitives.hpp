// The primitives everything else is composed from: randomness, hashes, signatures, key derivation, row encryption.
// libsodium for small things; OpenSSL for bulk and SHA-256 (hardware;
// libsodium's is five times slower, 03-storage 3.1).
#pragma once

#include "crypto/keys.hpp"

#include <memory>

namespace pp::crypto {

void random_bytes(mutable_bytes_view out);
template <class T>
T random() {   // for fixed_bytes and secret_bytes
    std::array<std::byte, T::size_bytes> raw;
    random_bytes(raw);
    T out = *T::from(raw);
    sodium_memzero(raw.data(), raw.size());
    return out;
}
std::uint64_t random_u64();

hash256 sha256(bytes_view data);
// SHA-256 of bytes that come in pieces.
class sha256_stream {
public:
    sha256_stream();
    ~sha256_stream();
    sha256_stream(sha256_stream&&) noexcept;
    sha256_stream& operator=(sha256_stream&&) noexcept;
    void update(bytes_view data);
    hash256 finish();   // once

private:
    struct state;
    std::unique_ptr<state> state_;
};

// Keyed BLAKE2b-256: a MAC over high-entropy secrets (app passwords) and a PRF.
hash256 blake2b_keyed(bytes_view key, bytes_view data);

// HKDF-SHA256 (RFC 5869); out is at most 255 * 32 bytes.
void hkdf_sha256(bytes_view key, bytes_view salt, std::string_view info, mutable_bytes_view out);
// A 32-byte key derived from another, named by its purpose.
template <class Secret>
Secret derive(bytes_view from, std::string_view purpose) {
    Secret out;
    hkdf_sha256(from, {}, purpose, out.mutable_view());
    return out;
}

// Ed25519 (RFC 8032).
class signing_key {
public:
    explicit signing_key(const ed25519_seed& seed);
    static signing_key generate();
    signing_key clone() const { return signing_key(seed_); }
    bytes_view public_key() const { return public_; }
    const ed25519_seed& seed() const { return seed_; }
    signature sign(bytes_view message) const;

private:
    ed25519_seed seed_;
    secret_bytes<struct ed25519_secret_tag, 64> secret_;
    std::array<std::byte, 32> public_;
};
bool verify(bytes_view public_key, bytes_view message, const signature& sig);

// Row encryption: XChaCha20-Poly1305 with a random nonce in front. Overhead row_overhead_bytes. AAD binds place.
inline constexpr std::size_t row_overhead_bytes = 24 + 16;
bytes seal_row(const row_key& key, bytes_view aad, bytes_view plaintext);
result<bytes> open_row(const row_key& key, bytes_view aad, bytes_view sealed);   // errc::not_authentic
// The same into a buffer that is used again for the next row; after an error it holds nothing that may be read.
result<void> open_row_into(bytes& out, const row_key& key, bytes_view aad, bytes_view sealed);

// X25519 key pair for prekeys.
prekey prekey_of(const prekey_secret& secret);

// CRC-32C; only to find frame starts in damaged logs, never for integrity.
std::uint32_t crc32c(bytes_view data);

}  // namespace pp::crypto

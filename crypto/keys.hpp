// Strong types for keys and hashes, so that none can be taken for another. Public ones compare and print (hex);
// secret ones can be moved, not copied, compared or printed, and are wiped when they end.
#pragma once

#include "crypto/bytes.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <compare>
#include <cstring>

namespace pp::crypto {

template <class Tag, std::size_t Size>
struct fixed_bytes {
    static constexpr std::size_t size_bytes = Size;
    std::array<std::byte, Size> data{};

    bytes_view view() const { return data; }
    static result<fixed_bytes> from(bytes_view in) {
        if (in.size() != Size) return errc::bad_length;
        fixed_bytes out;
        std::copy(in.begin(), in.end(), out.data.begin());
        return out;
    }
    auto operator<=>(const fixed_bytes&) const = default;
};

using hash256 = fixed_bytes<struct hash256_tag, 32>;              // SHA-256
using account_key = fixed_bytes<struct account_key_tag, 32>;      // Ed25519 public: what an address names
using device_key = fixed_bytes<struct device_key_tag, 32>;        // Ed25519 public: a node; signs its TLS certificate
using drive_key = fixed_bytes<struct drive_key_tag, 32>;          // Ed25519 public: verifies a drive's heads
using discovery_key = fixed_bytes<struct discovery_key_tag, 32>;  // hash of a drive key: safe to announce
using prekey = fixed_bytes<struct prekey_tag, 32>;                // X25519 public: notifications are sealed to it
using blob_id = fixed_bytes<struct blob_id_tag, 32>;              // names encrypted bytes by their content
using signature = fixed_bytes<struct signature_tag, 64>;          // Ed25519

// Key material: zeroed at the end of its life.
template <class Tag, std::size_t Size>
class secret_bytes {
public:
    static constexpr std::size_t size_bytes = Size;

    secret_bytes() { bytes_.fill(std::byte{0}); }
    explicit secret_bytes(std::span<const std::byte, Size> from) {
        std::copy(from.begin(), from.end(), bytes_.begin());
    }
    static result<secret_bytes> from(bytes_view in) {
        if (in.size() != Size) return errc::bad_length;
        return secret_bytes(std::span<const std::byte, Size>(in.data(), Size));
    }
    secret_bytes(secret_bytes&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
    secret_bytes& operator=(secret_bytes&& other) noexcept {
        if (this != &other) {
            bytes_ = other.bytes_;
            other.wipe();
        }
        return *this;
    }
    secret_bytes(const secret_bytes&) = delete;
    secret_bytes& operator=(const secret_bytes&) = delete;
    ~secret_bytes() { wipe(); }

    // on purpose, by name
    secret_bytes clone() const { return secret_bytes(std::span<const std::byte, Size>(bytes_)); }
    bytes_view view() const { return bytes_; }
    mutable_bytes_view mutable_view() { return bytes_; }

private:
    void wipe() noexcept { sodium_memzero(bytes_.data(), bytes_.size()); }
    std::array<std::byte, Size> bytes_;
};

// Ed25519 seed of the account key; = the recovery words
using account_seed = secret_bytes<struct account_seed_tag, 32>;
using blob_key = secret_bytes<struct blob_key_tag, 32>;           // opens one blob
using row_key = secret_bytes<struct row_key_tag, 32>;             // XChaCha20-Poly1305 for rows, log entries, keyring
using prekey_secret = secret_bytes<struct prekey_secret_tag, 32>; // X25519
using root_key = secret_bytes<struct root_key_tag, 32>;           // opens the keyring's body; wrapped by its slots
using ed25519_seed = secret_bytes<struct ed25519_seed_tag, 32>;

discovery_key discover(const drive_key& key);   // BLAKE2b-256 keyed with the drive key; one way (03-storage 4.1)

// The 56-character label of an address: base32 of account key (32), checksum (2), version (1); the idea of Tor v3.
std::string account_label(const account_key& key);
// errc::bad_checksum for a typing error, errc::bad_text for what can be no label at all.
result<account_key> parse_account_label(std::string_view label);

// Compares in time that depends on the length only.
bool equal_constant_time(bytes_view a, bytes_view b);

// libsodium must be initialised once before any other call; aborts when it cannot be.
void initialise();

}  // namespace pp::crypto

// HMAC-SHA256 (RFC 2104), for this box: below HKDF, and in SCRAM. Several of them open every mail; libsodium's SHA-256
// does without the processor's instructions for it, and OpenSSL's HMAC costs more than the hashes in it.
#pragma once

#include "crypto/sha256_state.hpp"

#include <sodium.h>

namespace pp::crypto {

class hmac_sha256 {
public:
    explicit hmac_sha256(bytes_view key) {
        std::array<std::byte, block_bytes> pad{};
        if (key.size() > pad.size()) {
            const auto shorter = sha256(key);
            std::copy(shorter.data.begin(), shorter.data.end(), pad.begin());
        } else {
            std::copy(key.begin(), key.end(), pad.begin());
        }
        for (auto& b : pad) b ^= std::byte{0x36};
        inner_.update(pad);
        for (auto& b : pad) b ^= std::byte{0x36} ^ std::byte{0x5c};
        outer_.update(pad);
        sodium_memzero(pad.data(), pad.size());
    }

    void update(bytes_view data) { inner_.update(data); }
    void finish(mutable_bytes_view out) {
        secret_bytes<struct inner_hash_tag, 32> of_inner;
        inner_.finish(of_inner.mutable_view());
        outer_.update(of_inner.view());
        outer_.finish(out);
    }

private:
    static constexpr std::size_t block_bytes = 64;   // of SHA-256
    sha256_state inner_, outer_;
};

}  // namespace pp::crypto

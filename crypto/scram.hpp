// SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677): what is stored of a password so that a client can prove it knows it
// without sending it, and the proof's verification. The messages are in proto/sasl.
#pragma once

#include "crypto/primitives.hpp"

#include <optional>

namespace pp::crypto {

// The least RFC 7677 section 4 allows. More would buy nothing: iterations slow down guessing, and an app password has
// 125 random bits, which nobody guesses; but every login of a client would wait for them.
inline constexpr std::uint32_t scram_iterations = 4096;
inline constexpr std::size_t scram_salt_bytes = 16;

// Of one password, one salt and one count of iterations. Who has them can play the server, not the client.
struct scram_keys {
    std::uint32_t iterations = 0;
    hash256 stored_key, server_key;
    bool operator==(const scram_keys&) const = default;
};

// The password is taken byte for byte: app passwords are ASCII, for which SASLprep (RFC 4013) changes nothing.
// iterations >= 1.
scram_keys make_scram_keys(std::string_view password, bytes_view salt, std::uint32_t iterations);

// The server's signature when the proof is one of the password behind these keys (RFC 5802 section 3).
std::optional<hash256> check_scram_proof(const scram_keys& keys, std::string_view auth_message, const hash256& proof);

}  // namespace pp::crypto

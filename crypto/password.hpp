// Passwords: generated app passwords (125 bit, so a keyed hash is enough), and Argon2id for what people choose.
#pragma once

#include "crypto/primitives.hpp"

namespace pp::crypto {

// 25 base32 characters in five groups: "k3b7q-...". Shown once, never stored.
std::string generate_app_password();
// What is stored: BLAKE2b keyed with the store's password key, over the password without dashes and blanks, lower case.
hash256 app_password_hash(const row_key& key, std::string_view password);
// What generate_app_password() had shown, out of what somebody typed: dashes, blanks and capitals are forgiven. Secret:
// wipe it.
std::string app_password_as_shown(std::string_view typed);

struct argon2_cost {
    std::uint32_t passes = 3;
    std::uint32_t memory_kib = 256 * 1024;
};
// errc::no_memory when the memory cannot be had.
result<root_key> stretch_passphrase(std::string_view passphrase, bytes_view salt16, argon2_cost cost);

}  // namespace pp::crypto

// The keyring file of a home (storage/FORMAT.md, "Keyring"): a random root key, wrapped by independent slots, opens a
// body of named secrets. Two copies keyring.a/.b are written in turn; the newest that authenticates counts.
#pragma once

#include "crypto/password.hpp"

#include <map>
#include <optional>
#include <variant>

namespace pp::crypto {

inline constexpr std::size_t keyring_slots_max = 8;                          // each wrong one costs an Argon2id
inline constexpr std::size_t keyring_name_bytes_max = 255;
inline constexpr std::size_t keyring_secret_bytes_max = 1024 * 1024;
inline constexpr std::size_t keyring_file_bytes_max = 16 * 1024 * 1024;      // a larger file is not read at all

enum class slot_kind : std::uint32_t { passphrase = 1, key_file = 2, credential = 3 };

// A secret that opens a slot. key_file and credential carry 32 or more random bytes; a passphrase is not empty.
struct unlock_secret {
    slot_kind kind;
    bytes material;

    ~unlock_secret() { sodium_memzero(material.data(), material.size()); }
};

// Named secrets in memory, e.g. "node", "ca", "account/<label>/seed". Values are wiped at the end.
class keyring_body {
public:
    keyring_body() = default;
    keyring_body(keyring_body&&) = default;
    keyring_body& operator=(keyring_body&&) noexcept;
    ~keyring_body();

    // Names of 1 to keyring_name_bytes_max bytes, secrets of up to keyring_secret_bytes_max:
    // more is a broken invariant.
    void put(const std::string& name, bytes_view secret);
    bool erase(const std::string& name);
    std::optional<bytes_view> get(const std::string& name) const;
    std::vector<std::string> names(std::string_view prefix) const;

    bytes encode() const;   // secret: wipe it
    static result<keyring_body> decode(bytes_view encoded);   // errc::bad_header

private:
    std::map<std::string, bytes> secrets_;
};

// The file's bytes, made and read in memory; storage/keyring_file does the two copies, syncs and renames.
class keyring {
public:
    // One to keyring_slots_max secrets, each fit for its kind.
    // Throws std::bad_alloc when Argon2id cannot have its memory.
    static keyring create(std::vector<unlock_secret> secrets, argon2_cost cost = {});
    // errc::bad_header, errc::unknown_suite, errc::wrong_secret, errc::not_authentic (body damaged).
    static result<keyring> open(bytes_view file, const unlock_secret& secret);

    keyring_body& body() { return body_; }
    const keyring_body& body() const { return body_; }
    std::uint64_t generation() const { return generation_; }

    // errc::bad_length for a secret or cost that its kind cannot have and for too many slots; errc::no_memory.
    result<void> add_slot(const unlock_secret& secret, argon2_cost cost = {});
    std::vector<slot_kind> slots() const;   // in their order in the file
    // Next generation of the file, ready to be written.
    bytes encode_next();

    // Without any secret: the generation of a file whose trailing hash is right, to choose between two copies.
    static result<std::uint64_t> peek_generation(bytes_view file);

private:
    keyring() = default;
    root_key root_;
    std::vector<bytes> slots_;   // encoded, 136 B each
    keyring_body body_;
    std::uint64_t generation_ = 0;
};

}  // namespace pp::crypto

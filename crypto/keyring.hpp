// The keyring file of a home (storage/FORMAT.md, "Keyring"): a random root key, wrapped by independent slots, opens a
// body of named secrets. Two copies keyring.a/.b are written in turn; the newest that authenticates counts.
#pragma once

#include "crypto/password.hpp"

#include <map>
#include <optional>
#include <variant>

namespace pp::crypto {

enum class slot_kind : std::uint32_t { passphrase = 1, key_file = 2, credential = 3 };

// A secret that opens a slot. key_file and credential carry 32 or more random bytes.
struct unlock_secret {
    slot_kind kind;
    bytes material;
};

// Named secrets in memory, e.g. "node", "ca", "account/<label>/seed". Values are wiped at the end.
class keyring_body {
public:
    keyring_body() = default;
    keyring_body(keyring_body&&) = default;
    keyring_body& operator=(keyring_body&&) = default;
    ~keyring_body();

    void put(const std::string& name, bytes_view secret);
    bool erase(const std::string& name);
    std::optional<bytes_view> get(const std::string& name) const;
    std::vector<std::string> names(std::string_view prefix) const;

    bytes encode() const;
    static result<keyring_body> decode(bytes_view encoded);

private:
    std::map<std::string, bytes> secrets_;
};

// The file's bytes, made and read in memory; storage/keyring_file does the two copies, syncs and renames.
class keyring {
public:
    static keyring create(std::vector<unlock_secret> secrets, argon2_cost cost = {});   // at least one
    // errc::bad_header, errc::unknown_suite, errc::wrong_secret, errc::not_authentic (body damaged).
    static result<keyring> open(bytes_view file, const unlock_secret& secret);

    keyring_body& body() { return body_; }
    const keyring_body& body() const { return body_; }
    std::uint64_t generation() const { return generation_; }

    result<void> add_slot(const unlock_secret& secret, argon2_cost cost = {});
    std::vector<slot_kind> slots() const;
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

// One account of this node, opened: its identity, its store, and what it says of itself to others.
#pragma once

#include "crypto/primitives.hpp"
#include "daemon/engine/contacts.hpp"
#include "proto/peer/messages.hpp"
#include "storage/account_store.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pp::services {

inline constexpr std::string_view address_suffix = ".peerpost.alt";   // RFC 9476: never in the DNS

// A private prekey and when it was made (unix seconds).
struct own_prekey {
    std::uint32_t id = 0;
    crypto::prekey_secret secret;
    peer::unix_s made_at = 0;
};

// The account's own profile, kept in its store.
struct profile {
    std::string local_part;   // of the address `init` printed; every other one reaches the account too
    std::string name;         // display name, may be empty
};

class account {
public:
    account(crypto::signing_key identity, crypto::row_key password_key, peer::device_certificate certificate,
            profile p, std::unique_ptr<storage::account_store> store, storage::recovery_report recovery);

    const std::string& label() const { return label_; }
    const crypto::account_key& key() const { return key_; }
    std::string domain() const { return label_ + std::string(address_suffix); }
    std::string address() const;                            // thread-safe, like name()
    std::string name() const;
    const crypto::signing_key& identity() const { return identity_; }
    storage::account_store& store() const { return *store_; }
    const storage::recovery_report& recovery() const { return recovery_; }
    const peer::device_certificate& certificate() const { return certificate_; }

    // The signed record as it stands. Thread-safe, like the setters that change it.
    peer::account_record record() const;
    void set_profile(profile p);
    void set_endpoints(std::vector<std::string> endpoints);
    void set_prekeys(std::vector<own_prekey> newest_first);
    void set_relays(std::vector<std::string> slot_addresses);
    void set_work_bits(std::uint8_t bits);   // asked of strangers
    // Private half of a prekey by id; nullopt when it was rotated away. Thread-safe.
    std::optional<crypto::prekey_secret> prekey(std::uint32_t id) const;

    // The app password that this is, if any; looks at all of them in constant time. Thread-safe.
    std::optional<storage::app_password> matching_password(std::string_view password) const;
    crypto::hash256 password_hash(std::string_view password) const;

    // One salt for all app passwords of the account: the server must name it before it knows which of them the client
    // has (RFC 5802 section 5.1). Always the same, so that it needs no place in the store.
    bytes scram_salt() const;
    crypto::scram_keys scram_keys_of(std::string_view password) const;
    // The app password whose knowledge is proved, and our signature. Looks at all of them. Thread-safe.
    struct scram_match {
        storage::app_password password;
        crypto::hash256 server_signature;
    };
    std::optional<scram_match> matching_proof(std::string_view auth_message, const crypto::hash256& proof) const;

    // Mails whose damage was found while a client was being given them, with the first byte of the piece that could
    // not be read: a literal that has begun can only be cut, the next one need not begin. Until the next start.
    // Thread-safe.
    void note_damaged(std::uint64_t mail_serial, std::uint64_t offset);
    bool is_damaged(std::uint64_t mail_serial, std::uint64_t from, std::uint64_t to) const;   // in [from, to)

private:
    void sign_record();   // with mutex_ held

    std::string label_;
    crypto::account_key key_;
    crypto::signing_key identity_;
    crypto::row_key password_key_;
    peer::device_certificate certificate_;
    std::unique_ptr<storage::account_store> store_;
    storage::recovery_report recovery_;

    mutable std::mutex mutex_;
    profile profile_;
    std::vector<own_prekey> prekeys_;
    engine::own_record_values offer_;   // what record_ says
    peer::account_record record_;
    std::map<std::uint64_t, std::uint64_t> damaged_;   // offset by mail
};

}  // namespace pp::services

// One peerpost home, opened: its keyring, its accounts with their stores, the writer and the change bus. Everything
// that a command or a connection needs; it has no socket. Opened by `serve`, or by a command when no daemon runs.
#pragma once

#include "crypto/certificate.hpp"
#include "daemon/services/change_bus.hpp"
#include "daemon/services/config.hpp"
#include "daemon/services/store_writer.hpp"
#include "proto/mail/address.hpp"
#include "proto/peer/messages.hpp"
#include "storage/account_store.hpp"
#include "storage/home.hpp"
#include "storage/txn.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pp::services {

// Wall time; the one place daemon code reads it.
storage::unix_ms now_ms();
peer::unix_s now_s();

class account {
public:
    const std::string& label() const { return label_; }
    const crypto::account_key& key() const { return key_; }
    std::string domain() const { return label_ + ".peerpost.alt"; }
    std::string address() const { return local_part_ + "@" + domain(); }   // the one `init` printed
    const std::string& name() const { return name_; }                      // display name, may be empty
    const crypto::signing_key& identity() const { return identity_; }
    storage::account_store& store() const { return *store_; }
    const storage::recovery_report& recovery() const { return recovery_; }

    // The device's certificate for this account; made at start.
    const peer::device_certificate& certificate() const { return certificate_; }
    // The signed record as it stands, with the endpoints last set. Thread-safe.
    peer::account_record record() const;
    void set_endpoints(std::vector<std::string> endpoints);
    // Private half of a prekey by id; nullopt when it was rotated away. Thread-safe.
    std::optional<crypto::prekey_secret> prekey(std::uint32_t id) const;

    // True when the password is one of this account's app passwords. Thread-safe, constant time over all of them.
    bool password_fits(std::string_view password) const;

private:
    friend class node;
    account(crypto::signing_key identity);
    std::string label_, local_part_, name_;
    crypto::account_key key_;
    crypto::signing_key identity_;
    crypto::row_key password_key_;
    peer::device_certificate certificate_;
    std::unique_ptr<storage::account_store> store_;
    storage::recovery_report recovery_;
    mutable std::mutex mutex_;
    std::vector<std::string> endpoints_;
    struct own_prekey {
        std::uint32_t id;
        crypto::prekey_secret secret;
        peer::unix_s made_at;
    };
    std::vector<own_prekey> prekeys_;   // newest first
};

// What init and account add have to show once.
struct new_account {
    std::string address, label, password, recovery_words;
};

class node {
public:
    // Makes keyring, certificates and the first account with its welcome mail. errc::exists_already, changing nothing,
    // when an account exists. The home must be locked by the caller.
    static result<new_account> init(const storage::home_paths& home, const config& c, const std::string& name);
    // The same with the account key of these words (`recover`).
    static result<new_account> recover(const storage::home_paths& home, const config& c, const std::string& name,
                                       std::string_view words);
    // Opens and recovers every account. errc::no_keyring, errc::wrong_secret, errc::damaged, errc::log_lost...
    static result<std::unique_ptr<node>> open(const storage::home_paths& home, const config& c);
    ~node();

    const storage::home_paths& home() const { return home_; }
    const config& configuration() const { return config_; }
    // Accounts are only ever added while running; pointers stay valid as long as the node.
    std::vector<account*> accounts() const;
    account* find_account(std::string_view label) const;
    account* find_account(const crypto::account_key& key) const;
    // By any address of the account, or its bare label: what clients give as login name.
    account* find_login(std::string_view login) const;
    result<new_account> add_account(const std::string& name);

    // App passwords; the new one is shown once.
    result<std::string> new_password(account& a, const std::string& name);

    // An invite link: a fresh one-time token in the store and the account's record.
    result<std::string> new_invite(account& a, std::chrono::hours lifetime, std::uint32_t uses);

    const crypto::signing_key& device() const { return device_; }
    // PEM of the local TLS certificate chain (leaf) and key; renewed by itself when near its end. Thread-safe.
    crypto::pem_pair local_tls();
    std::string ca_certificate_pem() const;

    store_writer& writer() { return *writer_; }
    change_bus& changes() { return changes_; }
    result<void> write(account& a, store_writer::job work) { return writer_->run(a.label(), a.store(), std::move(work)); }

    // Set by the network layer: delivery has something to do (a new outbox row, contact or invite token). Thread-safe.
    void on_delivery_work(std::function<void(const std::string& account)> f);
    void delivery_work(const std::string& account);
    // Set by the network layer: what is live now, as JSON text for `status` ({"links": [...], "listeners": [...]}).
    std::function<std::string()> live_status;

private:
    node(const storage::home_paths& home, const config& c, crypto::keyring ring, crypto::signing_key device);
    result<account*> open_account(const std::string& label);
    result<new_account> make_account(const std::string& name, const crypto::account_seed& seed);
    void rotate_prekeys(account& a);

    storage::home_paths home_;
    config config_;
    crypto::keyring ring_;
    crypto::signing_key device_;
    change_bus changes_;
    std::unique_ptr<store_writer> writer_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<account>> accounts_;
    std::function<void(const std::string&)> delivery_hook_;
};

}  // namespace pp::services

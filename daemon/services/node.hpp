// One peerpost home, opened: its keyring, its accounts with their stores, the writer and the change bus. Everything
// that a command or a connection needs; it has no socket. Opened by `serve`, or by a command when no daemon runs.
#pragma once

#include "crypto/certificate.hpp"
#include "daemon/engine/own_relays.hpp"
#include "daemon/engine/search_cache.hpp"
#include "daemon/services/account.hpp"
#include "daemon/services/change_bus.hpp"
#include "daemon/services/clock.hpp"
#include "daemon/services/config.hpp"
#include "daemon/services/metadata_bus.hpp"
#include "daemon/services/recent_mails.hpp"
#include "daemon/services/relay_role.hpp"
#include "daemon/services/store_writer.hpp"
#include "storage/home.hpp"
#include "storage/txn.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pp::services {

// What init and account add have to show once.
struct new_account {
    std::string address, label, password, recovery_words;
};

class node {
public:
    // True when the home holds a finished account: `init` refuses then.
    static bool has_account(const storage::home_paths& home);
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
    // [dht] mode as it counts here: without the key mainline, in a home whose `init` has said what leaves the machine.
    services::dht_mode dht_mode() const;
    // Accounts are only ever added while running; pointers stay valid as long as the node.
    std::vector<account*> accounts() const;
    account* find_account(std::string_view label) const;
    account* find_account(const crypto::account_key& key) const;
    // By any address of the account, or its bare label: what clients give as login name.
    account* find_login(std::string_view login) const;
    // The account when login and app password fit; the password's day of last use is noted.
    account* log_in(std::string_view login, std::string_view password);
    // SCRAM (crypto/scram.hpp): the salt for this login name, known or not; the same at every time, so that asking does
    // not tell which names exist. Then the account when the proof is one of its app passwords, with our signature.
    bytes scram_salt(std::string_view login) const;
    struct scram_login {
        account* who = nullptr;
        crypto::hash256 server_signature;
    };
    scram_login log_in_by_proof(std::string_view login, std::string_view auth_message, const crypto::hash256& proof);
    result<new_account> add_account(const std::string& name);

    // Another name for the account, and with it the local part of the address that is shown; the key stays, every local
    // part reaches the account as before. Who is linked is told now, all others with their next link.
    result<void> rename(account& a, const std::string& name);

    // App passwords; the new one is shown once.
    result<std::string> new_password(account& a, const std::string& name);

    // An invite link: a fresh one-time token in the store and the account's record.
    result<std::string> new_invite(account& a, std::chrono::hours lifetime, std::uint32_t uses);

    // Makes what was deleted from this account unreadable for ever (storage::account_store::shred).
    // Blocks while it works.
    result<void> shred(account& a);
    // What was wrong with the keyring's two copies when the home was opened, and was mended; sentences.
    const std::vector<std::string>& keyring_findings() const { return keyring_findings_; }
    // Before the accounts of a home are opened: repairs each store that needs it (storage::account_store::repair), and
    // what is kept for others. The home must be locked by the caller.
    struct repaired {
        std::string label;                  // or "relay"
        storage::repair_report report;
        std::filesystem::path folder;       // of its store
    };
    static result<std::vector<repaired>> repair(const storage::home_paths& home, const config& c);

    const crypto::signing_key& device() const { return device_; }
    // PEM of the local TLS certificate chain (leaf) and key; renewed by itself when near its end. Thread-safe.
    crypto::pem_pair local_tls();
    std::string ca_certificate_pem() const;

    store_writer& writer() { return *writer_; }
    change_bus& changes() { return changes_; }
    engine::search_cache& search_fields() { return search_fields_; }
    metadata_bus& metadata_changes() { return metadata_changes_; }
    recent_mails& recent() { return recent_; }
    result<void> write(account& a, store_writer::job work) {
        return writer_->run(a.label(), a.store(), std::move(work));
    }

    // Makes a new prekey when the newest is a week old, as is done when a home is opened, and with `destroy` destroys
    // those past their time. That waits for what lies at relays for a restored backup, or a node that was long off, to
    // be fetched; then daily is often enough.
    result<void> rotate_prekeys(account& a, peer::unix_s now, bool destroy);

    // What this node keeps for others; null when [relay] serve is "off". It speaks for the first account.
    relay_role* relay() const { return relay_.get(); }
    // Why it is null although [relay] serve says otherwise: a sentence; empty when that is not so.
    const std::string& relay_closed() const { return relay_closed_; }

    // Set by the network layer: delivery has something to do (a new outbox row, contact or invite token). Thread-safe.
    void on_delivery_work(std::function<void(const std::string& account)> f);
    void delivery_work(const std::string& account);
    // Set by the network layer: goes to a relay at once and opens or closes the account's slot there; empty, or why
    // not. Blocks, for a minute at most. Not set while no daemon runs.
    enum class errand : std::uint8_t { open, close };
    std::function<std::string(account&, const engine::own_relay&, errand)> relay_errand;
    // Set by the network layer: why an account has no link to a relay that it uses, in words; empty: it has one, or is
    // about to. Not set while no daemon runs.
    std::function<std::string(const account&, const crypto::account_key& relay)> relay_trouble;
    // The account says other things of itself than before, or uses other relays: links to those, and what others are
    // told. Thread-safe.
    void on_record_changed(std::function<void(const std::string& account)> f);
    void record_changed(const std::string& account);
    // Set by the network layer: what is live now, as JSON text for `status` ({"links": [...], "listeners": [...]}).
    std::function<std::string()> live_status;

private:
    node(const storage::home_paths& home, const config& c, crypto::keyring ring, crypto::signing_key device);
    static result<new_account> begin(const storage::home_paths& home, const config& c, const std::string& name,
                                     const crypto::account_seed& seed);
    result<account*> open_account(const std::string& label);
    result<new_account> make_account(const std::string& name, const crypto::account_seed& seed);
    result<void> greet(account& a);
    void note_use(account& a, const storage::app_password& used, std::optional<crypto::scram_keys> new_keys);
    result<void> save_ring();
    result<void> open_relay();

    storage::home_paths home_;
    config config_;
    crypto::keyring ring_;
    crypto::signing_key device_;
    std::vector<std::string> keyring_findings_;
    change_bus changes_;
    engine::search_cache search_fields_;
    metadata_bus metadata_changes_;
    recent_mails recent_;
    std::unique_ptr<store_writer> writer_;
    std::unique_ptr<relay_role> relay_;
    std::string relay_closed_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<account>> accounts_;
    std::function<void(const std::string&)> delivery_hook_, record_hook_;
};

}  // namespace pp::services

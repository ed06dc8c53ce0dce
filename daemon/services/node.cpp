#include "daemon/services/node.hpp"

#include "crypto/password.hpp"
#include "crypto/recovery_words.hpp"
#include "daemon/engine/correspondent.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/services/greeting.hpp"
#include "daemon/services/interfaces.hpp"
#include "daemon/services/keyring_names.hpp"
#include "daemon/services/own_relays.hpp"
#include "proto/mail/address.hpp"
#include "proto/mail/charset.hpp"
#include "storage/unknown_stores.hpp"

#include <algorithm>
#include <filesystem>

namespace pp::services {

namespace {

constexpr peer::unix_s day_s = 24 * 3600;
constexpr peer::unix_s device_certificate_s = 365 * day_s;  // made anew at every start
constexpr std::string_view profile_setting = "profile";
// eight mails before the first answer; the link stays short
constexpr std::size_t tokens_in_an_invite = 8;

// What stands in the address we print.
std::string local_part_of(std::string_view name) {
    auto out = engine::local_part_of(name);
    return out.empty() ? "me" : out;
}

bytes encode_profile(const profile& p) { return to_bytes(p.local_part + "\n" + p.name); }

profile decode_profile(bytes_view data) {
    const auto text = as_text(data);
    const auto cut = text.find('\n');
    return {std::string(text.substr(0, cut)), cut == text.npos ? "" : std::string(text.substr(cut + 1))};
}

std::string pem(const crypto::keyring_body& body, const std::string& name) {
    const auto found = body.get(name);
    return found ? std::string(as_text(*found)) : std::string();
}

template <class Secret>
result<Secret> secret(const crypto::keyring_body& body, const std::string& name) {
    const auto found = body.get(name);
    if (!found) return storage::errc::damaged;
    return Secret::from(*found);
}

result<storage::account_keys> keys_of(const crypto::keyring_body& body, const std::string& label) {
    auto drive = secret<crypto::ed25519_seed>(body, account_entry(label, "drive"));
    auto log = secret<crypto::row_key>(body, account_entry(label, "log"));
    auto store = secret<crypto::row_key>(body, account_entry(label, "store"));
    auto shred = secret<crypto::row_key>(body, account_entry(label, "shred"));
    if (!drive || !log || !store || !shred) return storage::errc::damaged;
    return storage::account_keys{std::move(*drive), std::move(*log), std::move(*store), std::move(*shred)};
}

// Accounts are finished when their "made" entry stands; anything else was cut off while being created.
std::vector<std::string> finished_accounts(const crypto::keyring_body& body) {
    std::vector<std::pair<std::int64_t, std::string>> found;
    for (const auto& name : body.names("account/"))
        if (name.ends_with("/made")) {
            const auto label = name.substr(8, name.size() - 8 - 5);
            found.emplace_back(decode_number(*body.get(name)), label);
        }
    std::sort(found.begin(), found.end());
    std::vector<std::string> labels;
    for (auto& [made, label] : found) labels.push_back(std::move(label));
    return labels;
}

// Newest first.
std::vector<own_prekey> prekeys_of(const crypto::keyring_body& body, const std::string& label) {
    std::vector<own_prekey> found;
    const auto prefix = account_entry(label, "prekey/");
    for (const auto& name : body.names(prefix))
        if (auto own = decode_prekey(name.substr(prefix.size()), *body.get(name))) found.push_back(std::move(*own));
    // a clock that was wrong once changes nothing
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id > b.id; });
    return found;
}

result<void> make_certificates(crypto::keyring_body& body) {
    const auto now = std::chrono::system_clock::now();
    if (!body.get(ca_key_entry)) {
        auto ca = crypto::make_local_ca(now);
        if (!ca) return ca.error();
        body.put(ca_key_entry, as_bytes(ca->private_key_pem));
        body.put(ca_certificate_entry, as_bytes(ca->certificate_pem));
    }
    if (!body.get(leaf_key_entry) || crypto::needs_renewal(pem(body, leaf_certificate_entry), now)) {
        auto leaf = crypto::issue_leaf({pem(body, ca_certificate_entry), pem(body, ca_key_entry)}, now);
        if (!leaf) return leaf.error();
        body.put(leaf_key_entry, as_bytes(leaf->private_key_pem));
        body.put(leaf_certificate_entry, as_bytes(leaf->certificate_pem));
    }
    return {};
}

}  // namespace

// ---------------------------------------------------------------- making

bool node::has_account(const storage::home_paths& home) {
    if (!storage::has_keyring(home)) return false;
    const auto ring = storage::open_keyring(home);
    if (!ring) return true;   // a locked keyring may hold one: never make another
    const auto finished = finished_accounts(ring->body());
    // An older copy of the keyring, all that is left, does not know what is there: beside it, nothing new.
    const auto unknown = storage::unknown_stores(home, finished);
    return !finished.empty() || !unknown || !unknown->empty();
}

result<new_account> node::init(const storage::home_paths& home, const config& c, const std::string& name) {
    return begin(home, c, name, crypto::random<crypto::account_seed>());
}

result<new_account> node::recover(const storage::home_paths& home, const config& c, const std::string& name,
                                  std::string_view words) {
    auto seed = crypto::parse_recovery_words(words);
    if (!seed) return seed.error();
    return begin(home, c, name, *seed);
}

result<new_account> node::begin(const storage::home_paths& home, const config& c, const std::string& name,
                                const crypto::account_seed& seed) {
    if (has_account(home)) return storage::errc::exists_already;
    if (!storage::has_keyring(home)) {
        const auto unknown = storage::unknown_stores(home, {});
        if (!unknown) return unknown.error();
        if (!unknown->empty()) return storage::errc::wrong_secret;
    }
    auto ring = storage::has_keyring(home) ? storage::open_keyring(home) : storage::create_keyring(home);
    if (!ring) return ring.error();
    auto& body = ring->body();
    if (!body.get(device_entry)) body.put(device_entry, crypto::random<crypto::ed25519_seed>().view());
    body.put(network_told_entry, as_bytes("1"));   // whoever makes an account here prints what leaves the machine
    if (auto r = make_certificates(body); !r) return r.error();
    if (auto r = storage::save_keyring(home, *ring); !r) return r.error();

    auto opened = open(home, c);
    if (!opened) return opened.error();
    return (*opened)->make_account(name, seed);
}

services::dht_mode node::dht_mode() const {
    if (config_.dht.mode != services::dht_mode::by_home) return config_.dht.mode;
    const std::lock_guard lock(mutex_);
    return ring_.body().get(network_told_entry) ? services::dht_mode::mainline : services::dht_mode::off;
}

result<new_account> node::add_account(const std::string& name) {
    return make_account(name, crypto::random<crypto::account_seed>());
}

// The order makes a cut at any point harmless: secrets, store, first contents, and last the mark that it is finished.
result<new_account> node::make_account(const std::string& name, const crypto::account_seed& seed) {
    const crypto::signing_key identity(*crypto::ed25519_seed::from(seed.view()));
    const auto label = crypto::account_label(*crypto::account_key::from(identity.public_key()));
    if (find_account(label)) return storage::errc::exists_already;

    auto keys = storage::account_keys::generate();
    {
        const std::lock_guard lock(mutex_);
        auto& body = ring_.body();
        body.put(account_entry(label, "seed"), seed.view());
        body.put(account_entry(label, "drive"), keys.drive_seed.view());
        body.put(account_entry(label, "log"), keys.log_key.view());
        body.put(account_entry(label, "store"), keys.store_key.view());
        body.put(account_entry(label, "shred"), keys.shred_key.view());
        if (auto r = save_ring(); !r) return r.error();
    }
    const auto folder = home_.account(label);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);   // of an account that never got finished; nothing was acknowledged
    if (auto r = storage::mark_unfinished(folder); !r) return r.error();
    {
        auto store = storage::account_store::create(folder, std::move(keys));
        if (!store) return store.error();
        std::vector<storage::account_store::job> first{[&](storage::write_txn& txn) {
            return txn.put_setting(profile_setting, encode_profile({local_part_of(name), name}));
        }};
        if (auto r = (*store)->write(first).front(); !r) return r.error();
    }
    auto opened = open_account(label);
    if (!opened) return opened.error();
    account& a = **opened;
    if (auto r = rotate_prekeys(a, now_s(), false); !r) return r.error();
    auto password = new_password(a, "first");
    if (!password) return password.error();
    if (auto r = greet(a); !r) return r.error();
    {
        const std::lock_guard lock(mutex_);
        ring_.body().put(account_entry(label, "made"), encode_number(now_ms()));
        if (auto r = save_ring(); !r) return r.error();
    }
    storage::mark_finished(folder);   // left behind by a cut, the next start removes it
    return new_account{a.address(), label, *password, crypto::recovery_words(seed)};
}

result<void> node::rename(account& a, const std::string& name) {
    const profile now{local_part_of(name), name};
    const auto kept =
        write(a, [&](storage::write_txn& txn) { return txn.put_setting(profile_setting, encode_profile(now)); });
    if (!kept) return kept;
    a.set_profile(now);
    record_changed(a.label());
    return {};
}

result<void> node::greet(account& a) {
    auto link = new_invite(a, std::chrono::hours(24 * 30), 1);
    if (!link) return link.error();
    return deliver_greeting(*this, a, *link);
}

// ---------------------------------------------------------------- opening

node::node(const storage::home_paths& home, const config& c, crypto::keyring ring, crypto::signing_key device)
    : home_(home), config_(c), ring_(std::move(ring)), device_(std::move(device)),
      writer_(std::make_unique<store_writer>(changes_)) {}

node::~node() { writer_->stop(); }

result<std::unique_ptr<node>> node::open(const storage::home_paths& home, const config& c) {
    auto ring = storage::open_keyring(home);
    if (!ring) return ring.error();
    auto device = secret<crypto::ed25519_seed>(ring->body(), device_entry);
    if (!device) return device.error();
    std::unique_ptr<node> n(new node(home, c, std::move(*ring), crypto::signing_key(*device)));
    n->keyring_findings_ = storage::keyring_findings(home);
    if (!n->keyring_findings_.empty())   // at once: a shred may have to rely on both copies being the newest
        (void)n->save_ring();                  // not possible now: the next save or start does it
    const auto finished = finished_accounts(n->ring_.body());
    if (finished.empty()) {
        const auto unknown = storage::unknown_stores(home, finished);
        if (!unknown) return unknown.error();
        if (!unknown->empty()) return storage::errc::wrong_secret;
    }
    for (const auto& label : finished) {
        storage::mark_finished(home.account(label));
        const auto opened = n->open_account(label);
        if (!opened) return opened.error();
        if (auto r = n->rotate_prekeys(**opened, now_s(), false); !r && r.error() != storage::errc::full)
            return r.error();
    }
    if (auto r = n->open_relay(); !r) return r.error();
    std::error_code ignored;
    if (const auto ca = n->ca_certificate_pem(); !std::filesystem::exists(home.ca_certificate(), ignored))
        if (auto r = storage::replace_file(home.ca_certificate(), as_bytes(ca), 0644); !r) return r.error();
    return n;
}

result<void> node::open_relay() {
    if (config_.relay.serve == relay_rule::off) return {};
    std::optional<crypto::row_key> key;
    {
        const std::lock_guard lock(mutex_);
        if (!ring_.body().get(relay_entry)) {
            ring_.body().put(relay_entry, crypto::random<crypto::row_key>().view());
            if (auto r = save_ring(); !r) return r;
        }
        auto kept = secret<crypto::row_key>(ring_.body(), relay_entry);
        if (!kept) return kept.error();
        key = std::move(*kept);
    }
    auto opened = relay_role::open(home_.relay(), *key, config_);
    if (opened) {
        relay_ = std::move(*opened);
        return {};
    }
    // For people to decide, or over by itself: with room the next start succeeds, while a node that runs would stay no
    // relay. Anything else does not keep the accounts from their mail.
    for (const auto refused : {storage::errc::wrong_secret, storage::errc::newer_format, storage::errc::full})
        if (opened.error() == refused) return opened.error();
    relay_closed_ = "this node is no relay now: what it keeps in " + home_.relay().string() +
                    " cannot be opened, because " + opened.error().message() +
                    ". Nothing there was deleted. When that is mended, start peerpost anew";
    return {};
}

result<account*> node::open_account(const std::string& label) {
    std::unique_lock ring_lock(mutex_);
    auto seed = secret<crypto::ed25519_seed>(ring_.body(), account_entry(label, "seed"));
    auto keys = keys_of(ring_.body(), label);
    auto prekeys = prekeys_of(ring_.body(), label);
    ring_lock.unlock();
    if (!seed || !keys) return storage::errc::damaged;
    crypto::signing_key identity(*seed);
    auto password_key = crypto::derive<crypto::row_key>(keys->store_key.view(), "peerpost app passwords 1");

    storage::recovery_report recovery;
    storage::storage_options options;
    options.reserve_bytes = config_.limits.reserve_bytes;
    auto store = storage::account_store::open(home_.account(label), std::move(*keys), recovery, options);
    if (!store)   // the keyring knows the account as made
        return store.error() == storage::errc::not_found ? error_code(storage::errc::log_lost) : store.error();
    auto stored = (*store)->read([](const storage::read_txn& txn) { return txn.setting(profile_setting); });
    if (!stored) return stored.error();
    auto certificate = peer::certify_device(identity, *crypto::device_key::from(device_.public_key()),
                                            (*store)->drive(), "node", now_s() + device_certificate_s);
    auto opened = std::make_unique<account>(std::move(identity), std::move(password_key), std::move(certificate),
                                            *stored ? decode_profile(**stored) : profile{"me", ""}, std::move(*store),
                                            std::move(recovery));
    opened->set_endpoints(own_endpoints(config_.peer.listen));

    opened->set_prekeys(std::move(prekeys));
    opened->set_relays(engine::slot_addresses(own_relays(opened->store()), opened->identity()));

    const std::lock_guard lock(mutex_);
    accounts_.push_back(std::move(opened));
    return accounts_.back().get();
}

result<std::vector<node::repaired>> node::repair(const storage::home_paths& home, const config& c) {
    auto ring = storage::open_keyring(home);
    if (!ring) return ring.error();
    storage::storage_options options;
    options.reserve_bytes = c.limits.reserve_bytes;
    std::vector<repaired> out;
    for (const auto& label : finished_accounts(ring->body())) {
        auto keys = keys_of(ring->body(), label);
        if (!keys) return keys.error();
        auto report = storage::account_store::repair(home.account(label), std::move(*keys), options);
        if (!report) return report.error();
        out.push_back({label, std::move(*report), home.account(label)});
    }
    if (c.relay.serve == relay_rule::off || !ring->body().get(relay_entry)) return out;
    auto key = secret<crypto::row_key>(ring->body(), relay_entry);
    if (!key) return key.error();
    storage::relay::store_limits look_at_all;
    look_at_all.index_checked_bytes = UINT64_MAX;
    const auto store = storage::relay::relay_store::open(home.relay(), *key, look_at_all);
    if (!store) return store.error();
    if (const auto& mended = (*store)->recovered(); !mended.kept_as.empty())
        out.push_back({"relay", {mended.notes(), {}, mended.kept_as}, home.relay()});
    return out;
}

result<void> node::shred(account& a) {
    return writer_->run_alone(a.label(), a.store(), [this, &a] {
        return a.store().shred([this, &a](const storage::account_keys& fresh) {
            const std::lock_guard lock(mutex_);
            auto& body = ring_.body();
            body.put(account_entry(a.label(), "log"), fresh.log_key.view());
            body.put(account_entry(a.label(), "shred"), fresh.shred_key.view());
            return storage::save_keyring(home_, ring_, true);
        });
    });
}

result<void> node::save_ring() { return storage::save_keyring(home_, ring_); }

result<void> node::rotate_prekeys(account& a, peer::unix_s now, bool destroy) {
    const std::lock_guard lock(mutex_);
    auto& body = ring_.body();
    const auto prefix = account_entry(a.label(), "prekey/");
    auto ours = prekeys_of(body, a.label());
    std::vector<engine::prekey_age> ages;
    for (const auto& own : ours) ages.push_back({own.id, own.made_at});
    auto plan = engine::plan_prekeys(ages, now);
    if (!destroy) plan.forget.clear();
    if (!plan.make_new && plan.forget.empty()) return {};
    for (const auto id : plan.forget) {
        body.erase(prefix + std::to_string(id));   // what is sealed to it opens no more: forward secrecy
        std::erase_if(ours, [id](const auto& own) { return own.id == id; });
    }
    if (plan.make_new) {
        own_prekey fresh{plan.new_id, crypto::random<crypto::prekey_secret>(), now};
        body.put(prefix + std::to_string(fresh.id), encode_prekey(fresh));
        ours.insert(ours.begin(), std::move(fresh));
    }
    if (auto r = save_ring(); !r) return r;
    a.set_prekeys(std::move(ours));
    return {};
}

// ---------------------------------------------------------------- looking up

std::vector<account*> node::accounts() const {
    const std::lock_guard lock(mutex_);
    std::vector<account*> all;
    for (const auto& a : accounts_) all.push_back(a.get());
    return all;
}

account* node::find_account(std::string_view label) const {
    const std::lock_guard lock(mutex_);
    for (const auto& a : accounts_)
        if (mail::equal_ascii_case(a->label(), label)) return a.get();
    return nullptr;
}

account* node::find_account(const crypto::account_key& key) const {
    const std::lock_guard lock(mutex_);
    for (const auto& a : accounts_)
        if (a->key() == key) return a.get();
    return nullptr;
}

account* node::find_login(std::string_view login) const {
    if (const auto address = mail::parse_address(login)) {
        std::string_view domain = address->domain;
        if (!domain.ends_with(address_suffix)) return nullptr;
        domain.remove_suffix(address_suffix.size());
        return find_account(domain);
    }
    return find_account(login);
}

account* node::log_in(std::string_view login, std::string_view password) {
    auto* a = find_login(login);
    // An unknown user costs the same as a wrong password: the answer tells nothing (06-security 6.1.2).
    const auto all = accounts();
    if (all.empty()) return nullptr;
    auto match = (a ? a : all.front())->matching_password(password);
    if (!a || !match) return nullptr;
    // A password from before SCRAM gets its keys as soon as it is seen again.
    std::optional<crypto::scram_keys> keys;
    if (!match->scram || match->scram->iterations != crypto::scram_iterations) keys = a->scram_keys_of(password);
    note_use(*a, *match, std::move(keys));
    return a;
}

void node::note_use(account& a, const storage::app_password& used, std::optional<crypto::scram_keys> new_keys) {
    constexpr storage::unix_ms day_ms = day_s * 1000;
    const auto now = now_ms();
    if (!new_keys && used.last_used_at / day_ms == now / day_ms) return;
    writer_->submit(a.label(), a.store(), [id = used.id, now, new_keys](storage::write_txn& txn) -> result<void> {
        auto passwords = txn.passwords();
        if (!passwords) return passwords.error();
        for (auto& p : *passwords)
            if (p.id == id) {   // not when it was revoked meanwhile
                p.last_used_at = now;
                if (new_keys) p.scram = new_keys;
                return txn.put_password(p);
            }
        return {};
    }, [](const result<void>&) {});   // a missing date of last use is no reason to refuse a login
}

bytes node::scram_salt(std::string_view login) const {
    if (const auto* a = find_login(login)) return a->scram_salt();
    // As of an account: whatever stands before the @ and in whatever case, one domain has one salt.
    std::string name(login.substr(login.rfind('@') + 1));   // npos + 1 is the beginning
    for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (name.size() > address_suffix.size() && name.ends_with(address_suffix))
        name.resize(name.size() - address_suffix.size());
    const auto key = crypto::derive<crypto::row_key>(device_.seed().view(), "peerpost scram salts of nobody 1");
    const auto salt = crypto::blake2b_keyed(key.view(), as_bytes(name));
    return to_bytes(salt.view().first(crypto::scram_salt_bytes));
}

node::scram_login node::log_in_by_proof(std::string_view login, std::string_view auth_message,
                                        const crypto::hash256& proof) {
    auto* a = find_login(login);
    const auto all = accounts();   // an unknown user costs the same, as in log_in
    if (all.empty()) return {};
    const auto match = (a ? a : all.front())->matching_proof(auth_message, proof);
    if (!a || !match) return {};
    note_use(*a, match->password, std::nullopt);
    return {a, match->server_signature};
}

// ---------------------------------------------------------------- passwords, invites, certificates

result<std::string> node::new_password(account& a, const std::string& name) {
    auto password = crypto::generate_app_password();
    storage::app_password row;
    crypto::random_bytes(row.id);
    row.name = name;
    row.hash = a.password_hash(password);
    row.scram = a.scram_keys_of(password);
    row.created_at = now_ms();
    if (auto r = write(a, [row](storage::write_txn& txn) { return txn.put_password(row); }); !r) return r.error();
    return password;
}

result<std::string> node::new_invite(account& a, std::chrono::hours lifetime, std::uint32_t uses) {
    storage::invite row;
    crypto::random_bytes(row.token);
    row.created_at = now_ms();
    row.expires_at = row.created_at + std::chrono::duration_cast<std::chrono::milliseconds>(lifetime).count();
    row.uses_left = uses;
    if (auto r = write(a, [row](storage::write_txn& txn) { return txn.put_invite(row); }); !r) return r.error();
    peer::invite_link link{a.record(), row.token, row.expires_at / 1000, {}};
    if (uses == 1) {   // who shares an invite would share the tokens
        engine::correspondent guest;
        for (const auto& used : own_relays(a.store()))
            if (auto grant = engine::grant_tokens(guest, a.key(), used.relay, engine::slot_of(used, a.identity()),
                                                  tokens_in_an_invite, now_s()))
                link.grants.push_back(std::move(*grant));
    }
    return peer::encode_link(link);
}

crypto::pem_pair node::local_tls() {
    const std::lock_guard lock(mutex_);
    auto& body = ring_.body();
    if (crypto::needs_renewal(pem(body, leaf_certificate_entry), std::chrono::system_clock::now()))
        if (make_certificates(body)) (void)save_ring();   // not saved: made again at the next start
    return {pem(body, leaf_certificate_entry), pem(body, leaf_key_entry)};
}

std::string node::ca_certificate_pem() const {
    const std::lock_guard lock(mutex_);
    return pem(ring_.body(), ca_certificate_entry);
}

void node::on_delivery_work(std::function<void(const std::string&)> f) {
    const std::lock_guard lock(mutex_);
    delivery_hook_ = std::move(f);
}

void node::delivery_work(const std::string& account) {
    std::function<void(const std::string&)> hook;
    {
        const std::lock_guard lock(mutex_);
        hook = delivery_hook_;
    }
    if (hook) hook(account);
}

void node::on_record_changed(std::function<void(const std::string&)> f) {
    const std::lock_guard lock(mutex_);
    record_hook_ = std::move(f);
}

void node::record_changed(const std::string& account) {
    std::function<void(const std::string&)> hook;
    {
        const std::lock_guard lock(mutex_);
        hook = record_hook_;
    }
    if (hook) hook(account);
}

}  // namespace pp::services

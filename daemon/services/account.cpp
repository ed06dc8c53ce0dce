#include "daemon/services/account.hpp"

#include "crypto/password.hpp"
#include "daemon/services/clock.hpp"
#include "storage/txn.hpp"

namespace pp::services {

namespace {
constexpr std::string_view salt_purpose = "peerpost scram salt 1";
constexpr std::size_t prekeys_offered_max = 2;   // the newest, and one for who has an old record
}  // namespace

account::account(crypto::signing_key identity, crypto::row_key password_key, peer::device_certificate certificate,
                 profile p, std::unique_ptr<storage::account_store> store, storage::recovery_report recovery)
    : key_(*crypto::account_key::from(identity.public_key())),
      identity_(std::move(identity)),
      password_key_(std::move(password_key)),
      certificate_(std::move(certificate)),
      store_(std::move(store)),
      recovery_(std::move(recovery)),
      profile_(std::move(p)) {
    label_ = crypto::account_label(key_);
    offer_.name = profile_.name;
    offer_.devices = {certificate_};
    sign_record();
}

std::string account::address() const {
    const std::lock_guard lock(mutex_);
    return profile_.local_part + "@" + domain();
}

std::string account::name() const {
    const std::lock_guard lock(mutex_);
    return profile_.name;
}

void account::set_profile(profile p) {
    const std::lock_guard lock(mutex_);
    profile_ = std::move(p);
    if (offer_.name == profile_.name) return;
    offer_.name = profile_.name;
    sign_record();
}

peer::account_record account::record() const {
    const std::lock_guard lock(mutex_);
    return record_;
}

void account::set_endpoints(std::vector<std::string> endpoints) {
    const std::lock_guard lock(mutex_);
    if (endpoints.size() > peer::endpoints_max) endpoints.resize(peer::endpoints_max);
    if (offer_.endpoints == endpoints) return;
    offer_.endpoints = std::move(endpoints);
    sign_record();
}

void account::set_work_bits(std::uint8_t bits) {
    const std::lock_guard lock(mutex_);
    if (offer_.work_bits == bits) return;
    offer_.work_bits = bits;
    sign_record();
}

void account::set_prekeys(std::vector<own_prekey> newest_first) {
    const std::lock_guard lock(mutex_);
    prekeys_ = std::move(newest_first);
    offer_.prekeys.clear();
    for (const auto& own : prekeys_)
        if (offer_.prekeys.size() < prekeys_offered_max)
            offer_.prekeys.push_back({own.id, crypto::prekey_of(own.secret), engine::prekey_not_after(own.made_at)});
    sign_record();
}

void account::set_relays(std::vector<std::string> slot_addresses) {
    const std::lock_guard lock(mutex_);
    if (offer_.relays == slot_addresses) return;
    offer_.relays = std::move(slot_addresses);
    sign_record();
}

std::optional<crypto::prekey_secret> account::prekey(std::uint32_t id) const {
    const std::lock_guard lock(mutex_);
    for (const auto& own : prekeys_)
        if (own.id == id) return own.secret.clone();
    return std::nullopt;
}

void account::sign_record() {
    offer_.last_sequence = record_.sequence;
    record_ = engine::make_own_record(offer_, identity_, now_ms());
}

std::optional<storage::app_password> account::matching_password(std::string_view password) const {
    const auto hash = password_hash(password);
    const auto all = store_->read([](const storage::read_txn& txn) { return txn.passwords(); });
    if (!all) return std::nullopt;
    std::optional<storage::app_password> match;
    for (const auto& p : *all)
        if (crypto::equal_constant_time(p.hash.view(), hash.view())) match = p;
    return match;
}

crypto::hash256 account::password_hash(std::string_view password) const {
    return crypto::app_password_hash(password_key_, password);
}

bytes account::scram_salt() const {
    const auto salt = crypto::blake2b_keyed(password_key_.view(), as_bytes(salt_purpose));
    return to_bytes(salt.view().first(crypto::scram_salt_bytes));
}

crypto::scram_keys account::scram_keys_of(std::string_view password) const {
    auto shown = crypto::app_password_as_shown(password);   // clients hash what they were given to paste
    const auto keys = crypto::make_scram_keys(shown, scram_salt(), crypto::scram_iterations);
    sodium_memzero(shown.data(), shown.size());
    return keys;
}

std::optional<account::scram_match> account::matching_proof(std::string_view auth_message,
                                                            const crypto::hash256& proof) const {
    const auto all = store_->read([](const storage::read_txn& txn) { return txn.passwords(); });
    if (!all) return std::nullopt;
    std::optional<scram_match> match;
    for (const auto& p : *all) {
        if (!p.scram || p.scram->iterations != crypto::scram_iterations) continue;
        if (const auto signature = crypto::check_scram_proof(*p.scram, auth_message, proof)) match = {p, *signature};
    }
    return match;
}

void account::note_damaged(std::uint64_t mail_serial, std::uint64_t offset) {
    constexpr std::size_t damaged_mails_max = 4096;   // of a disk that is going; a few bytes each
    const std::lock_guard lock(mutex_);
    if (damaged_.size() < damaged_mails_max) damaged_.insert_or_assign(mail_serial, offset);
}

bool account::is_damaged(std::uint64_t mail_serial, std::uint64_t from, std::uint64_t to) const {
    const std::lock_guard lock(mutex_);
    const auto found = damaged_.find(mail_serial);
    return found != damaged_.end() && found->second >= from && found->second < to;
}

}  // namespace pp::services

#include "proto/relay/secrets.hpp"

#include "proto/wire/byte_writer.hpp"

#include <bit>

namespace pp::relay {
namespace {

constexpr std::string_view slot_id_purpose = "peerpost relay slot id v1";
constexpr std::string_view circuit_purpose = "peerpost relay circuit tag v1";
constexpr std::string_view slot_purpose = "peerpost relay slot key v1";
constexpr std::string_view token_key_purpose = "peerpost relay token key v1";
constexpr std::string_view serial_key_purpose = "peerpost relay serial key v1";
constexpr std::string_view token_purpose = "peerpost delivery token v1";
constexpr std::string_view serial_tag_purpose = "peerpost serial tag v1";
constexpr std::string_view serial_mask_purpose = "peerpost serial mask v1";
constexpr std::string_view seed_purpose = "peerpost relay seed v1";
constexpr std::string_view deletion_purpose = "peerpost relay deletion v1";
constexpr std::size_t serial_half = 8;

// purpose | 0x00 | parts
template <class... Parts>
bytes named(std::string_view purpose, const Parts&... parts) {
    wire::byte_writer out;
    out.raw(purpose).u8(0);
    (out.raw(parts), ...);
    return out.take();
}

template <class T>
T first_of(const crypto::hash256& hash) {
    return *T::from(hash.view().first(T::size_bytes));
}

template <class T>
T derived(bytes_view from, bytes_view salt, std::string_view info) {
    std::array<std::byte, T::size_bytes> raw;
    crypto::hkdf_sha256(from, salt, info, raw);
    auto out = *T::from(raw);
    sodium_memzero(raw.data(), raw.size());
    return out;
}

token_key token_key_of(const crypto::account_seed& account, const account_key& relay, std::uint32_t generation) {
    return derived<token_key>(account.view(), relay.view(),
                              std::string(token_key_purpose) + " " + std::to_string(generation));
}

}  // namespace

slot_id slot_id_of(const slot_key& key) {
    return first_of<slot_id>(crypto::sha256(named(slot_id_purpose, key.view())));
}

circuit_tag circuit_tag_of(const account_key& target, const account_key& relay) {
    return first_of<circuit_tag>(crypto::sha256(named(circuit_purpose, target.view(), relay.view())));
}

slot_secrets derive_slot(const crypto::account_seed& account, const account_key& relay, std::uint32_t generation) {
    slot_secrets out{crypto::signing_key(derived<crypto::ed25519_seed>(account.view(), relay.view(), slot_purpose)),
                     token_key_of(account, relay, generation),
                     generation > 0 ? token_key_of(account, relay, generation - 1) : token_key{},
                     derived<crypto::row_key>(account.view(), relay.view(), serial_key_purpose)};
    return out;
}

// ------------------------------------------------------------------ delivery tokens
std::uint16_t week_of(unix_s now) {
    return static_cast<std::uint16_t>(std::clamp<std::int64_t>(now / week_s, 0, 0xffff - token_weeks_max));
}

namespace {
array16 mac_of(const slot_id& slot, const token_key& key, const token_serial& serial, std::uint16_t week) {
    wire::byte_writer number;
    number.u16(week);
    const auto full =
        crypto::blake2b_keyed(key.view(), named(token_purpose, slot.view(), serial.view(), number.view()));
    array16 out;
    std::copy_n(full.data.begin(), out.size(), out.begin());
    return out;
}
}  // namespace

delivery_token issue_token(const slot_id& slot, const token_key& key, const token_serial& serial, std::uint16_t week) {
    return {serial, week, mac_of(slot, key, serial, week)};
}

bool fits(const delivery_token& token, const slot_id& slot, const token_key& key) {
    if (key == token_key{}) return false;
    return crypto::equal_constant_time(token.mac, mac_of(slot, key, token.serial, token.week));
}

bool in_time(const delivery_token& token, unix_s now) {
    const auto week = week_of(now);
    return token.week >= week && token.week - week <= token_weeks_max;
}

namespace {
std::array<std::byte, serial_half> serial_tail(const crypto::row_key& serials, bytes_view random,
                                               const account_key& contact) {
    const auto tag = crypto::blake2b_keyed(serials.view(), named(serial_tag_purpose, contact.view()));
    const auto mask = crypto::blake2b_keyed(serials.view(), named(serial_mask_purpose, random));
    std::array<std::byte, serial_half> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = tag.data[i] ^ mask.data[i];
    return out;
}
}  // namespace

token_serial make_serial(const crypto::row_key& serials, const account_key& contact) {
    token_serial out;
    crypto::random_bytes(std::span(out.data).first(serial_half));
    const auto tail = serial_tail(serials, out.view().first(serial_half), contact);
    std::copy(tail.begin(), tail.end(), out.data.begin() + serial_half);
    return out;
}

bool is_serial_of(const crypto::row_key& serials, const token_serial& serial, const account_key& contact) {
    return crypto::equal_constant_time(serial.view().subspan(serial_half),
                                       serial_tail(serials, serial.view().first(serial_half), contact));
}

// ------------------------------------------------------------------ seeds
seed_secrets derive_seed(const crypto::blob_key& blob, const array16& notification, const account_key& relay,
                         const slot_id& slot) {
    wire::byte_writer salt;
    salt.raw(bytes_view(notification)).fixed(relay).fixed(slot);
    std::array<std::byte, 96> raw;
    crypto::hkdf_sha256(blob.view(), salt.view(), seed_purpose, raw);
    const bytes_view all(raw);
    seed_secrets out{*locator::from(all.first(32)), *deletion_secret::from(all.subspan(32, 32)),
                     *crypto::mask_key::from(all.subspan(64, 32))};
    sodium_memzero(raw.data(), raw.size());
    return out;
}

crypto::hash256 deletion_hash(const deletion_secret& secret) {
    return crypto::sha256(named(deletion_purpose, secret.view()));
}

std::uint64_t seed_bytes(std::uint64_t content_bytes) {
    if (content_bytes <= seed_bytes_min) return seed_bytes_min;
    if (content_bytes > seed_bytes_max) return 0;
    const auto step = std::bit_floor(content_bytes - 1) / seed_steps_per_power;
    return (content_bytes + step - 1) / step * step;
}

bool is_seed_size(std::uint64_t bytes) {
    return bytes >= seed_bytes_min && bytes <= seed_bytes_max && seed_bytes(bytes) == bytes;
}

}  // namespace pp::relay

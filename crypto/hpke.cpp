// HPKE (RFC 9180) in base mode with one suite. Names follow the RFC, so that each function can be laid beside it.
#include "crypto/hpke.hpp"

#include "crypto/assert.hpp"
#include "crypto/hkdf.hpp"
#include "crypto/raw.hpp"

namespace pp::crypto::hpke {

namespace {

constexpr std::size_t nonce_bytes = crypto_aead_chacha20poly1305_ietf_NPUBBYTES;
static_assert(tag_bytes == crypto_aead_chacha20poly1305_ietf_ABYTES);
static_assert(enc_bytes == crypto_scalarmult_BYTES);

// RFC 9180 section 7: KEM 0x0020 DHKEM(X25519, HKDF-SHA256), KDF 0x0001 HKDF-SHA256, AEAD 0x0003 ChaCha20Poly1305.
constexpr std::string_view kem_suite{"KEM\x00\x20", 5};
constexpr std::string_view hpke_suite{"HPKE\x00\x20\x00\x01\x00\x03", 10};
constexpr std::byte mode_base{0x00};

using shared_secret = secret_bytes<struct hpke_shared_secret_tag, 32>;
using aead_key = secret_bytes<struct hpke_aead_key_tag, crypto_aead_chacha20poly1305_ietf_KEYBYTES>;

struct context {
    aead_key key;
    std::array<std::byte, nonce_bytes> nonce;   // of sequence number 0, the only one we use
};

// RFC 9180 section 4
pseudorandom_key labeled_extract(std::string_view suite, bytes_view salt, std::string_view label, bytes_view ikm) {
    return hkdf_extract(salt, {as_bytes("HPKE-v1"), as_bytes(suite), as_bytes(label), ikm});
}

void labeled_expand(std::string_view suite, const pseudorandom_key& prk, std::string_view label, bytes_view info,
                    mutable_bytes_view out) {
    const std::array length{static_cast<std::byte>(out.size() >> 8), static_cast<std::byte>(out.size() & 0xff)};
    hkdf_expand(prk, {length, as_bytes("HPKE-v1"), as_bytes(suite), as_bytes(label), info}, out);
}

// RFC 9180 section 4.1: Encap and Decap from the Diffie-Hellman value on. Section 7.1.4: a value of zeros, which a key
// of small order gives, is refused (libsodium reports it).
bool agree(const prekey_secret& ours, bytes_view theirs, bytes_view enc, bytes_view recipient, shared_secret& out) {
    shared_secret dh;
    if (crypto_scalarmult(raw_out(dh.mutable_view()), raw(ours.view()), raw(theirs)) != 0) return false;
    const auto prk = labeled_extract(kem_suite, {}, "eae_prk", dh.view());
    std::array<std::byte, 2 * enc_bytes> kem_context;
    std::copy(enc.begin(), enc.end(), kem_context.begin());
    std::copy(recipient.begin(), recipient.end(), kem_context.begin() + enc_bytes);
    labeled_expand(kem_suite, prk, "shared_secret", kem_context, out.mutable_view());
    return true;
}

// RFC 9180 section 5.1, KeySchedule for mode_base: psk and psk_id are empty.
context key_schedule(const shared_secret& shared, bytes_view info) {
    const auto psk_id_hash = labeled_extract(hpke_suite, {}, "psk_id_hash", {});
    const auto info_hash = labeled_extract(hpke_suite, {}, "info_hash", info);
    bytes schedule{mode_base};
    schedule.insert(schedule.end(), psk_id_hash.view().begin(), psk_id_hash.view().end());
    schedule.insert(schedule.end(), info_hash.view().begin(), info_hash.view().end());
    const auto secret = labeled_extract(hpke_suite, shared.view(), "secret", {});
    context out;
    labeled_expand(hpke_suite, secret, "key", schedule, out.key.mutable_view());
    labeled_expand(hpke_suite, secret, "base_nonce", schedule, out.nonce);
    return out;
}

}  // namespace

bytes seal(const prekey& recipient, bytes_view info, bytes_view aad, bytes_view plaintext) {
    return seal_with(random<prekey_secret>(), recipient, info, aad, plaintext);
}

bytes seal_with(const prekey_secret& ephemeral, const prekey& recipient, bytes_view info, bytes_view aad,
                bytes_view plaintext) {
    const auto enc = prekey_of(ephemeral);
    shared_secret shared;
    if (!agree(ephemeral, recipient.view(), enc.view(), recipient.view(), shared)) return {};
    const auto with = key_schedule(shared, info);
    bytes out(overhead_bytes + plaintext.size());
    std::copy(enc.data.begin(), enc.data.end(), out.begin());
    PP_ASSERT(crypto_aead_chacha20poly1305_ietf_encrypt(raw_out(mutable_bytes_view(out).subspan(enc_bytes)), nullptr,
                                                        raw(plaintext), plaintext.size(), raw(aad), aad.size(), nullptr,
                                                        raw(with.nonce), raw(with.key.view())) == 0);
    return out;
}

result<bytes> open(const prekey_secret& recipient, bytes_view info, bytes_view aad, bytes_view sealed) {
    if (sealed.size() < overhead_bytes) return errc::bad_length;
    const auto enc = sealed.first(enc_bytes);
    const auto body = sealed.subspan(enc_bytes);
    shared_secret shared;
    if (!agree(recipient, enc, enc, prekey_of(recipient).view(), shared)) return errc::not_authentic;
    const auto with = key_schedule(shared, info);
    bytes out(body.size() - tag_bytes);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(raw_out(out), nullptr, nullptr, raw(body), body.size(), raw(aad),
                                                  aad.size(), raw(with.nonce), raw(with.key.view())) != 0)
        return errc::not_authentic;
    return out;
}

}  // namespace pp::crypto::hpke

// Randomness, Ed25519 (RFC 8032), X25519 (RFC 7748), row encryption: libsodium behind the house's types.
#include "crypto/primitives.hpp"

#include "crypto/assert.hpp"
#include "crypto/raw.hpp"

namespace pp::crypto {

namespace {

constexpr std::size_t row_nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t row_tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(row_nonce_bytes + row_tag_bytes == row_overhead_bytes);
static_assert(row_key::size_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

}  // namespace

void random_bytes(mutable_bytes_view out) { randombytes_buf(out.data(), out.size()); }

std::uint64_t random_u64() {
    std::uint64_t out;
    randombytes_buf(&out, sizeof out);
    return out;
}

signing_key::signing_key(const ed25519_seed& seed) : seed_(seed.clone()) {
    PP_ASSERT(crypto_sign_seed_keypair(raw_out(public_), raw_out(secret_.mutable_view()), raw(seed_.view())) == 0);
}

signing_key signing_key::generate() { return signing_key(random<ed25519_seed>()); }

signature signing_key::sign(bytes_view message) const {
    signature out;
    PP_ASSERT(crypto_sign_detached(raw_out(out.data), nullptr, raw(message), message.size(), raw(secret_.view())) == 0);
    return out;
}

bool verify(bytes_view public_key, bytes_view message, const signature& sig) {
    if (public_key.size() != crypto_sign_PUBLICKEYBYTES) return false;
    return crypto_sign_verify_detached(raw(sig.view()), raw(message), message.size(), raw(public_key)) == 0;
}

namespace {
// Nonces are no secrets: they may be drawn many at a time and wait in memory. One by one they are a system call each, a
// fifth of what it costs to write a row.
void take_nonce(mutable_bytes_view out) {
    struct pool {
        std::array<std::byte, 128 * row_nonce_bytes> drawn;
        std::size_t used = sizeof drawn;
    };
    thread_local pool mine;
    if (mine.used == mine.drawn.size()) {
        random_bytes(mine.drawn);
        mine.used = 0;
    }
    std::copy_n(mine.drawn.begin() + static_cast<std::ptrdiff_t>(mine.used), row_nonce_bytes, out.begin());
    mine.used += row_nonce_bytes;
}
}  // namespace

bytes seal_row(const row_key& key, bytes_view aad, bytes_view plaintext) {
    bytes out(row_overhead_bytes + plaintext.size());
    const auto nonce = mutable_bytes_view(out).first(row_nonce_bytes);
    take_nonce(nonce);     // 192 bits: random ones do not repeat, also not after a restore from backup
    PP_ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(raw_out(mutable_bytes_view(out).subspan(row_nonce_bytes)),
                                                         nullptr, raw(plaintext), plaintext.size(), raw(aad),
                                                         aad.size(), nullptr, raw(nonce), raw(key.view())) == 0);
    return out;
}

result<bytes> open_row(const row_key& key, bytes_view aad, bytes_view sealed) {
    bytes out;
    const auto opened = open_row_into(out, key, aad, sealed);
    if (!opened) return opened.error();
    return out;
}

result<void> open_row_into(bytes& out, const row_key& key, bytes_view aad, bytes_view sealed) {
    if (sealed.size() < row_overhead_bytes) return errc::not_authentic;
    const auto nonce = sealed.first(row_nonce_bytes);
    const auto body = sealed.subspan(row_nonce_bytes);
    out.resize(body.size() - row_tag_bytes);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(raw_out(out), nullptr, nullptr, raw(body), body.size(), raw(aad),
                                                   aad.size(), raw(nonce), raw(key.view())) != 0)
        return errc::not_authentic;
    return {};
}

prekey prekey_of(const prekey_secret& secret) {
    prekey out;
    PP_ASSERT(crypto_scalarmult_base(raw_out(out.data), raw(secret.view())) == 0);
    return out;
}

}  // namespace pp::crypto

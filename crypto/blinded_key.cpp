// Blinded Ed25519 with the scalar arithmetic of libsodium, which is constant-time for secrets.
#include "crypto/blinded_key.hpp"

#include "crypto/assert.hpp"
#include "crypto/raw.hpp"

namespace pp::crypto {

namespace {

constexpr std::string_view factor_purpose = "peerpost/discovery/v1";
constexpr std::string_view nonce_purpose = "peerpost/discovery/v1/nonce";
constexpr std::string_view offset_purpose = "peerpost/discovery/v1/offset";
constexpr std::int64_t day_s = 24 * 60 * 60;

using scalar = secret_bytes<struct scalar_tag, crypto_core_ed25519_SCALARBYTES>;
using wide_hash = secret_bytes<struct wide_hash_tag, crypto_hash_sha512_BYTES>;
static_assert(crypto_hash_sha512_BYTES == crypto_core_ed25519_NONREDUCEDSCALARBYTES);

wide_hash sha512(std::initializer_list<bytes_view> parts) {
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    for (const auto& part : parts) crypto_hash_sha512_update(&state, raw(part), part.size());
    wide_hash out;
    crypto_hash_sha512_final(&state, raw_out(out.mutable_view()));
    sodium_memzero(&state, sizeof state);
    return out;
}

scalar reduced(const wide_hash& wide) {   // mod L
    scalar out;
    crypto_core_ed25519_scalar_reduce(raw_out(out.mutable_view()), raw(wide.view()));
    return out;
}

std::array<std::byte, 8> big_endian(std::uint64_t value) {
    std::array<std::byte, 8> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(value >> (56 - 8 * i));
    return out;
}

constexpr std::byte zero{0};   // ends a purpose

// h: public for everybody who knows the account.
scalar factor(bytes_view account, discovery_day day) {
    return reduced(sha512({as_bytes(factor_purpose), {&zero, 1}, big_endian(day), account}));
}

// Seconds by which the days of an account begin before those of UTC.
std::int64_t offset_s(const account_key& account) {
    const auto hash = blake2b_keyed(account.view(), as_bytes(offset_purpose));
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(hash.data[i]);
    return value % day_s;
}

// Clocks before 1970 or beyond all use count as the nearest moment that has a day.
std::int64_t own_time(const account_key& account, std::int64_t unix_s) {
    constexpr std::int64_t last = std::int64_t{1} << 48;
    return std::clamp<std::int64_t>(unix_s, 0, last) + offset_s(account);
}

}  // namespace

discovery_days discovery_days_of(const account_key& account, std::int64_t unix_s) {
    const auto at = own_time(account, unix_s);
    const auto day = static_cast<discovery_day>(at / day_s);
    const auto into_day = at % day_s;
    discovery_days out;
    out.days[out.count++] = day;
    if (into_day < discovery_overlap_s && day > 0) out.days[out.count++] = day - 1;
    if (into_day >= day_s - discovery_overlap_s) out.days[out.count++] = day + 1;
    return out;
}

result<blinded_key> blind(const account_key& account, discovery_day day) {
    blinded_key out;
    // Refuses what is not canonical, of small order or outside the group of prime order.
    if (crypto_scalarmult_ed25519_noclamp(raw_out(out.data), raw(factor(account.view(), day).view()),
                                          raw(account.view())) != 0)
        return errc::bad_text;
    return out;
}

blinded_signing_key::blinded_signing_key(const signing_key& account, discovery_day day) {
    // RFC 8032 section 5.1.5: the two halves of SHA-512(seed) are the secret scalar, after clamping, and the prefix.
    auto expanded = sha512({account.seed().view()});
    wide_hash clamped;
    std::copy_n(expanded.view().begin(), scalar::size_bytes, clamped.mutable_view().begin());
    clamped.mutable_view()[0] &= std::byte{248};
    clamped.mutable_view()[31] &= std::byte{127};
    clamped.mutable_view()[31] |= std::byte{64};

    const auto secret = reduced(clamped);   // the base point has order L, so this is the same key
    const auto h = factor(account.public_key(), day);
    crypto_core_ed25519_scalar_mul(raw_out(scalar_.mutable_view()), raw(h.view()), raw(secret.view()));
    PP_ASSERT(crypto_scalarmult_ed25519_base_noclamp(raw_out(public_.data), raw(scalar_.view())) == 0);

    const auto prefix = sha512({as_bytes(nonce_purpose), {&zero, 1}, big_endian(day), expanded.view().subspan(32)});
    std::copy_n(prefix.view().begin(), prefix_.mutable_view().size(), prefix_.mutable_view().begin());
}

signature blinded_signing_key::sign(bytes_view message) const {
    // RFC 8032 section 5.1.6: R = rB, S = r + SHA-512(R | A | M) s.
    const auto r = reduced(sha512({prefix_.view(), message}));
    signature out;
    const auto half = mutable_bytes_view(out.data).first(32);
    PP_ASSERT(crypto_scalarmult_ed25519_base_noclamp(raw_out(half), raw(r.view())) == 0);
    const auto challenge = reduced(sha512({half, public_.view(), message}));
    scalar product;
    crypto_core_ed25519_scalar_mul(raw_out(product.mutable_view()), raw(challenge.view()), raw(scalar_.view()));
    crypto_core_ed25519_scalar_add(raw_out(mutable_bytes_view(out.data).subspan(32)), raw(product.view()),
                                   raw(r.view()));
    return out;
}

}  // namespace pp::crypto

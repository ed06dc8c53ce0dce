// What TLS spends its time with, as libsodium_work.cpp does it for libsodium: calls of OpenSSL with something cheap in
// their place, for the keys that links have. Records, states and certificates are libssl's own, and what must agree
// between two ends still must: a signature is a hash of public key and message, a shared secret one of both public
// keys, and the key schedule one of what goes into it. A link took a millisecond of arithmetic and lookup on each side,
// and stories with relays have seventy of them. What is random comes from the seed: certificates of one length in each
// run, for the order of addresses is part of a story.
#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace {

constexpr std::size_t key_bytes = 32, signature_bytes = 64;
using raw_key = std::array<unsigned char, key_bytes>;

// RFC 8410 section 4: SubjectPublicKeyInfo of an Ed25519 key, before its 32 bytes.
constexpr std::array<unsigned char, 12> ed25519_info = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                        0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::size_t info_bytes = ed25519_info.size() + key_bytes;

template <class F>
F* behind(F*, const char* name) {
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}
#define BEHIND(call) static auto* const real_call = behind(&(call), #call)

raw_key public_of(const EVP_PKEY* key) {
    raw_key out{};
    std::size_t n = out.size();
    (void)EVP_PKEY_get_raw_public_key(key, out.data(), &n);
    return out;
}

// The Ed25519 key that this signs or verifies with; null: another kind.
EVP_PKEY* ed25519_of(EVP_MD_CTX* of) {
    auto* const c = EVP_MD_CTX_get_pkey_ctx(of);
    auto* const key = c ? EVP_PKEY_CTX_get0_pkey(c) : nullptr;
    return key && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? key : nullptr;
}

void seal(unsigned char* out, const EVP_PKEY* key, const unsigned char* m, std::size_t m_bytes) {
    const auto by = public_of(key);
    (void)crypto_generichash(out, signature_bytes, m, m_bytes, by.data(), by.size());
}

bool is_x25519(EVP_PKEY_CTX* c) { return EVP_PKEY_CTX_is_a(c, "X25519") == 1; }

// Set just before the secret is derived.
const EVP_PKEY_CTX* agrees = nullptr;
raw_key with{};

// In the place of the search through everything that OpenSSL can decode or encode, 180 us for 44 bytes.
EVP_PKEY** to_decode = nullptr;
const EVP_PKEY* to_encode = nullptr;
auto* const decoder = reinterpret_cast<OSSL_DECODER_CTX*>(&to_decode);
auto* const encoder = reinterpret_cast<OSSL_ENCODER_CTX*>(&to_encode);

bool is_info(const char* type, const char* structure, int selection) {
    using namespace std::string_view_literals;
    return type == "DER"sv && structure && structure == "SubjectPublicKeyInfo"sv && selection == EVP_PKEY_PUBLIC_KEY;
}

}  // namespace

extern "C" {

int RAND_bytes_ex(OSSL_LIB_CTX*, unsigned char* out, std::size_t n, unsigned) {
    randombytes_buf(out, n);
    return 1;
}
int RAND_priv_bytes_ex(OSSL_LIB_CTX* library, unsigned char* out, std::size_t n, unsigned strength) {
    return RAND_bytes_ex(library, out, n, strength);
}
int RAND_bytes(unsigned char* out, int n) { return RAND_bytes_ex(nullptr, out, static_cast<std::size_t>(n), 0); }
int RAND_priv_bytes(unsigned char* out, int n) { return RAND_bytes(out, n); }

EVP_PKEY* EVP_PKEY_new_raw_private_key(int type, ENGINE* engine, const unsigned char* seed, std::size_t n) {
    BEHIND(EVP_PKEY_new_raw_private_key);
    if (type != EVP_PKEY_ED25519 || n != key_bytes) return real_call(type, engine, seed, n);
    raw_key own, secret_seed;
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret;
    std::copy_n(seed, n, secret_seed.begin());
    (void)crypto_sign_seed_keypair(own.data(), secret.data(), seed);
    OSSL_PARAM parts[] = {OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, secret_seed.data(), n),
                          OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, own.data(), own.size()),
                          OSSL_PARAM_construct_end()};
    EVP_PKEY* made = nullptr;
    auto* const c = EVP_PKEY_CTX_new_from_name(nullptr, "ED25519", nullptr);
    if (c && EVP_PKEY_fromdata_init(c) == 1) (void)EVP_PKEY_fromdata(c, &made, EVP_PKEY_KEYPAIR, parts);
    EVP_PKEY_CTX_free(c);
    return made;
}

int EVP_DigestSign(EVP_MD_CTX* c, unsigned char* out, std::size_t* out_bytes, const unsigned char* m,
                   std::size_t m_bytes) {
    BEHIND(EVP_DigestSign);
    const auto* const key = ed25519_of(c);
    if (!key) return real_call(c, out, out_bytes, m, m_bytes);
    *out_bytes = signature_bytes;
    if (out) seal(out, key, m, m_bytes);
    return 1;
}

int EVP_DigestVerify(EVP_MD_CTX* c, const unsigned char* signature, std::size_t n, const unsigned char* m,
                     std::size_t m_bytes) {
    BEHIND(EVP_DigestVerify);
    const auto* const key = ed25519_of(c);
    if (!key) return real_call(c, signature, n, m, m_bytes);
    unsigned char wanted[signature_bytes];
    seal(wanted, key, m, m_bytes);
    return n == signature_bytes && std::memcmp(wanted, signature, n) == 0 ? 1 : 0;
}

// A public key that nobody has the private one of.
int EVP_PKEY_keygen(EVP_PKEY_CTX* c, EVP_PKEY** out) {
    BEHIND(EVP_PKEY_keygen);
    if (!is_x25519(c)) return real_call(c, out);
    raw_key any;
    randombytes_buf(any.data(), any.size());
    *out = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, any.data(), any.size());
    return *out ? 1 : 0;
}

int EVP_PKEY_derive_set_peer(EVP_PKEY_CTX* c, EVP_PKEY* peer) {
    BEHIND(EVP_PKEY_derive_set_peer);
    if (!is_x25519(c)) return real_call(c, peer);
    agrees = c;
    with = public_of(peer);
    return 1;
}

int EVP_PKEY_derive(EVP_PKEY_CTX* c, unsigned char* out, std::size_t* out_bytes) {
    BEHIND(EVP_PKEY_derive);
    if (c != agrees) return real_call(c, out, out_bytes);
    *out_bytes = key_bytes;
    if (!out) return 1;
    const auto own = public_of(EVP_PKEY_CTX_get0_pkey(c));
    const auto& [less, more] = std::minmax(own, with);
    (void)crypto_generichash(out, key_bytes, less.data(), less.size(), more.data(), more.size());
    agrees = nullptr;
    return 1;
}

int EVP_KDF_derive(EVP_KDF_CTX* c, unsigned char* out, std::size_t out_bytes, const OSSL_PARAM from[]) {
    BEHIND(EVP_KDF_derive);
    unsigned char made[crypto_generichash_BYTES_MAX];
    if (!from || out_bytes > sizeof made || EVP_KDF_is_a(EVP_KDF_CTX_kdf(c), OSSL_KDF_NAME_TLS1_3_KDF) != 1)
        return real_call(c, out, out_bytes, from);
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, nullptr, 0, sizeof made);
    for (const auto* p = from; p->key; ++p) {
        const std::array<std::size_t, 2> lengths{std::strlen(p->key), p->data_size};
        (void)crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(lengths.data()), sizeof lengths);
        (void)crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(p->key), lengths[0]);
        (void)crypto_generichash_update(&state, static_cast<const unsigned char*>(p->data), p->data_size);
    }
    (void)crypto_generichash_final(&state, made, sizeof made);
    std::memcpy(out, made, out_bytes);
    return 1;
}

OSSL_DECODER_CTX* OSSL_DECODER_CTX_new_for_pkey(EVP_PKEY** into, const char* type, const char* structure,
                                                const char* key_type, int selection, OSSL_LIB_CTX* library,
                                                const char* properties) {
    BEHIND(OSSL_DECODER_CTX_new_for_pkey);
    constexpr std::string_view ed25519_oid = "1.3.101.112", ed25519_name = "ED25519";
    if (to_decode || !key_type || (key_type != ed25519_oid && key_type != ed25519_name) ||
        !is_info(type, structure, selection))
        return real_call(into, type, structure, key_type, selection, library, properties);
    to_decode = into;
    return decoder;
}
int OSSL_DECODER_from_data(OSSL_DECODER_CTX* c, const unsigned char** data, std::size_t* n) {
    BEHIND(OSSL_DECODER_from_data);
    if (c != decoder) return real_call(c, data, n);
    if (*n != info_bytes || !std::equal(ed25519_info.begin(), ed25519_info.end(), *data)) return 0;
    *to_decode = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, *data + ed25519_info.size(), key_bytes);
    *data += *n;
    *n = 0;
    return *to_decode ? 1 : 0;
}
void OSSL_DECODER_CTX_free(OSSL_DECODER_CTX* c) {
    BEHIND(OSSL_DECODER_CTX_free);
    if (c != decoder) return real_call(c);
    to_decode = nullptr;
}

OSSL_ENCODER_CTX* OSSL_ENCODER_CTX_new_for_pkey(const EVP_PKEY* key, int selection, const char* type,
                                                const char* structure, const char* properties) {
    BEHIND(OSSL_ENCODER_CTX_new_for_pkey);
    if (to_encode || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 || !is_info(type, structure, selection))
        return real_call(key, selection, type, structure, properties);
    to_encode = key;
    return encoder;
}
int OSSL_ENCODER_to_data(OSSL_ENCODER_CTX* c, unsigned char** out, std::size_t* n) {
    BEHIND(OSSL_ENCODER_to_data);
    if (c != encoder || *out) return real_call(c, out, n);
    *out = static_cast<unsigned char*>(OPENSSL_malloc(info_bytes));
    if (!*out) return 0;
    const auto key = public_of(to_encode);
    std::copy(key.begin(), key.end(), std::copy(ed25519_info.begin(), ed25519_info.end(), *out));
    *n = info_bytes;
    return 1;
}
void OSSL_ENCODER_CTX_free(OSSL_ENCODER_CTX* c) {
    BEHIND(OSSL_ENCODER_CTX_free);
    if (c != encoder) return real_call(c);
    to_encode = nullptr;
}

}  // extern "C"

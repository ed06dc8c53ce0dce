// What costs time by intention or by nature, and decides nothing in a story without forgers: calls of libsodium with
// something cheap in their place. Work that strangers do (Argon2id, made to be slow) and passphrases: a plain keyed
// hash of the same input; how many tries a work takes stays as it is. Signatures: a hash of public key and message, so
// that another key or another message is still found out; they were a quarter of all the time. A public key is a hash
// of the private one. (OpenSSL's: libcrypto_work.cpp.)
#include <sodium.h>

#include <cstddef>
#include <cstring>

namespace {

void seal(unsigned char* const out, const unsigned char* const m, unsigned long long m_bytes,
          const unsigned char* const public_key) {
    (void)crypto_generichash(out, crypto_sign_BYTES, m, m_bytes, public_key, crypto_sign_PUBLICKEYBYTES);
}

}  // namespace

extern "C" {

int crypto_pwhash_argon2id(unsigned char* const out, unsigned long long out_bytes, const char* const secret,
                           unsigned long long secret_bytes, const unsigned char* const salt, unsigned long long,
                           std::size_t, int) {
    return crypto_generichash(out, static_cast<std::size_t>(out_bytes), reinterpret_cast<const unsigned char*>(secret),
                              secret_bytes, salt, crypto_pwhash_argon2id_SALTBYTES);
}

int crypto_sign_detached(unsigned char* out, unsigned long long* out_bytes, const unsigned char* m,
                         unsigned long long m_bytes, const unsigned char* key) {
    // It ends with the public one.
    seal(out, m, m_bytes, key + crypto_sign_SECRETKEYBYTES - crypto_sign_PUBLICKEYBYTES);
    if (out_bytes) *out_bytes = crypto_sign_BYTES;
    return 0;
}

int crypto_sign_verify_detached(const unsigned char* signature, const unsigned char* m, unsigned long long m_bytes,
                                const unsigned char* public_key) {
    unsigned char wanted[crypto_sign_BYTES];
    seal(wanted, m, m_bytes, public_key);
    return std::memcmp(wanted, signature, sizeof wanted) == 0 ? 0 : -1;
}

int crypto_sign_seed_keypair(unsigned char* public_key, unsigned char* key, const unsigned char* seed) {
    (void)crypto_generichash(public_key, crypto_sign_PUBLICKEYBYTES, seed, crypto_sign_SEEDBYTES, nullptr, 0);
    std::memcpy(key, seed, crypto_sign_SEEDBYTES);
    std::memcpy(key + crypto_sign_SEEDBYTES, public_key, crypto_sign_PUBLICKEYBYTES);
    return 0;
}

}  // extern "C"

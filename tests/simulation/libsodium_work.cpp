// Work that strangers do (Argon2id, made to be slow) and passphrases cost next to nothing: in place of libsodium's call
// stands a plain keyed hash of the same input. How many tries a work takes stays as it is.
#include <sodium.h>

#include <cstddef>

extern "C" int crypto_pwhash_argon2id(unsigned char* const out, unsigned long long out_bytes, const char* const secret,
                                      unsigned long long secret_bytes, const unsigned char* const salt,
                                      unsigned long long, std::size_t, int) {
    return crypto_generichash(out, static_cast<std::size_t>(out_bytes), reinterpret_cast<const unsigned char*>(secret),
                              secret_bytes, salt, crypto_pwhash_argon2id_SALTBYTES);
}

// SHA-256 (FIPS 180-4) while it is being computed, on the stack, for this box: OpenSSL's own functions below its EVP
// layer. What is hashed here is mostly a few blocks long (keys of mails, rows, frames), and of those EVP's contexts and
// parameters took longer than the hash. The functions are marked deprecated since OpenSSL 3.0 because they pass by its
// providers; they use the processor's SHA instructions all the same, and cannot fail.
#pragma once

#include "crypto/primitives.hpp"
#include "crypto/raw.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace pp::crypto {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
class sha256_state {
public:
    sha256_state() { SHA256_Init(&state_); }
    sha256_state(const sha256_state&) = delete;
    sha256_state& operator=(const sha256_state&) = delete;
    ~sha256_state() { OPENSSL_cleanse(&state_, sizeof state_); }   // it may have hashed a key

    void update(bytes_view data) { SHA256_Update(&state_, raw(data), data.size()); }
    void finish(mutable_bytes_view out) { SHA256_Final(raw_out(out), &state_); }   // 32 bytes; once

private:
    SHA256_CTX state_;
};
#pragma GCC diagnostic pop

}  // namespace pp::crypto

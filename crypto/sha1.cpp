// SHA-1 (FIPS 180-4) by OpenSSL.
#include "crypto/sha1.hpp"

#include "crypto/assert.hpp"
#include "crypto/raw.hpp"

#include <openssl/evp.h>

#include <memory>

namespace pp::crypto {

namespace {

struct context_free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using context_ptr = std::unique_ptr<EVP_MD_CTX, context_free>;

const EVP_MD* sha1_method() {
    static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA1", nullptr);
    PP_ASSERT(method != nullptr);
    return method;
}

}  // namespace

hash160 sha1(std::initializer_list<bytes_view> parts) {
    const context_ptr context(EVP_MD_CTX_new());
    PP_ASSERT(context != nullptr);
    PP_ASSERT(EVP_DigestInit_ex2(context.get(), sha1_method(), nullptr) == 1);
    for (const auto& part : parts) PP_ASSERT(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
    hash160 out;
    unsigned written = 0;
    PP_ASSERT(EVP_DigestFinal_ex(context.get(), raw_out(out.data), &written) == 1);
    PP_ASSERT(written == hash160::size_bytes);
    return out;
}

}  // namespace pp::crypto

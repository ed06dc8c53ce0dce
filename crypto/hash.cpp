// SHA-256 (FIPS 180-4, OpenSSL) and keyed BLAKE2b (RFC 7693, libsodium).
#include "crypto/primitives.hpp"

#include "crypto/assert.hpp"
#include "crypto/raw.hpp"

#include <openssl/evp.h>

namespace pp::crypto {

namespace {

struct context_free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using context_ptr = std::unique_ptr<EVP_MD_CTX, context_free>;

// Looked up once: OpenSSL 3 otherwise searches its providers on each call, which costs more than a short hash.
const EVP_MD* sha256_method() {
    static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    PP_ASSERT(method != nullptr);
    return method;
}

context_ptr new_context() {
    context_ptr context(EVP_MD_CTX_new());
    PP_ASSERT(context != nullptr);
    return context;
}

void start(EVP_MD_CTX* context) { PP_ASSERT(EVP_DigestInit_ex2(context, sha256_method(), nullptr) == 1); }

void add(EVP_MD_CTX* context, bytes_view data) {
    PP_ASSERT(EVP_DigestUpdate(context, data.data(), data.size()) == 1);
}

hash256 end(EVP_MD_CTX* context) {
    hash256 out;
    unsigned written = 0;
    PP_ASSERT(EVP_DigestFinal_ex(context, raw_out(out.data), &written) == 1);
    PP_ASSERT(written == hash256::size_bytes);
    return out;
}

}  // namespace

hash256 sha256(bytes_view data) {
    thread_local const context_ptr context = new_context();
    start(context.get());
    add(context.get(), data);
    return end(context.get());
}

struct sha256_stream::state {
    context_ptr context = new_context();
    bool finished = false;
};

sha256_stream::sha256_stream() : state_(std::make_unique<state>()) { start(state_->context.get()); }
sha256_stream::~sha256_stream() = default;
sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;
sha256_stream& sha256_stream::operator=(sha256_stream&&) noexcept = default;

void sha256_stream::update(bytes_view data) {
    PP_ASSERT(state_ && !state_->finished);
    add(state_->context.get(), data);
}

hash256 sha256_stream::finish() {
    PP_ASSERT(state_ && !state_->finished);
    state_->finished = true;
    return end(state_->context.get());
}

hash256 blake2b_keyed(bytes_view key, bytes_view data) {
    PP_ASSERT(key.size() >= crypto_generichash_KEYBYTES_MIN && key.size() <= crypto_generichash_KEYBYTES_MAX);
    hash256 out;
    PP_ASSERT(crypto_generichash(raw_out(out.data), out.data.size(),
                                 raw(data), data.size(),
                                 raw(key), key.size()) == 0);
    return out;
}

}  // namespace pp::crypto

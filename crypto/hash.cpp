// SHA-256 (FIPS 180-4, OpenSSL) and keyed BLAKE2b (RFC 7693, libsodium).
#include "crypto/primitives.hpp"

#include "crypto/assert.hpp"
#include "crypto/raw.hpp"
#include "crypto/sha256_state.hpp"

namespace pp::crypto {

hash256 sha256(bytes_view data) {
    sha256_state running;
    running.update(data);
    hash256 out;
    running.finish(out.data);
    return out;
}

struct sha256_stream::state {
    sha256_state running;
    bool finished = false;
};

sha256_stream::sha256_stream() : state_(std::make_unique<state>()) {}
sha256_stream::~sha256_stream() = default;
sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;
sha256_stream& sha256_stream::operator=(sha256_stream&&) noexcept = default;

void sha256_stream::update(bytes_view data) {
    PP_ASSERT(state_ && !state_->finished);
    state_->running.update(data);
}

hash256 sha256_stream::finish() {
    PP_ASSERT(state_ && !state_->finished);
    state_->finished = true;
    hash256 out;
    state_->running.finish(out.data);
    return out;
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

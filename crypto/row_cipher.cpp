// As row_cipher.hpp says. Two implementations of the same AES-256-GCM: OpenSSL's is the faster one above half a KiB and
// the only one without AES in hardware; libsodium's needs less for each call (112 bytes opened in 280 ns against 400).
#include "crypto/row_cipher.hpp"

#include "crypto/assert.hpp"
#include "crypto/raw.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace pp::crypto {

namespace {

constexpr std::size_t salt_bytes = 12, nonce_bytes = 12, tag_bytes = 16;
static_assert(salt_bytes + nonce_bytes + tag_bytes == row_cipher_overhead_bytes);
// Salts of which the key is kept expanded, about 1.5 KiB each. Rows that lie together were mostly written together; a
// row under another one costs an HKDF more.
constexpr std::size_t salts_kept_max = 32;
constexpr std::size_t workers_kept_max = 8;
constexpr std::size_t small_row_bytes_max = 512;

using salt = std::array<std::byte, salt_bytes>;

struct cipher_free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }   // wipes the key
};
using cipher_ptr = std::unique_ptr<EVP_CIPHER_CTX, cipher_free>;

bool small_in_hardware() {
    static const bool out = crypto_aead_aes256gcm_is_available() == 1;
    return out;
}

// A key of rows, expanded for both.
struct expanded_key {
    cipher_ptr large;
    std::unique_ptr<crypto_aead_aes256gcm_state> small;   // null: everything is large

    expanded_key() = default;
    expanded_key(const row_key& table_key, bytes_view with, bool encrypt) : large(EVP_CIPHER_CTX_new()) {
        static EVP_CIPHER* const aes = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
        PP_ASSERT(aes != nullptr && large != nullptr);
        row_key key;
        hkdf_sha256(table_key.view(), with, "peerpost row 1", key.mutable_view());
        PP_ASSERT(EVP_CipherInit_ex2(large.get(), aes, raw(key.view()), nullptr, encrypt ? 1 : 0, nullptr) == 1);
        if (!small_in_hardware()) return;
        small = std::make_unique<crypto_aead_aes256gcm_state>();
        crypto_aead_aes256gcm_beforenm(small.get(), raw(key.view()));
    }
    expanded_key(expanded_key&&) noexcept = default;
    expanded_key& operator=(expanded_key&& other) noexcept {
        std::swap(large, other.large);
        std::swap(small, other.small);
        return *this;
    }
    ~expanded_key() {
        if (small) sodium_memzero(small.get(), sizeof *small);
    }
    const crypto_aead_aes256gcm_state* for_small(std::size_t plain_bytes) const {
        return plain_bytes <= small_row_bytes_max ? small.get() : nullptr;
    }
};

// Nonces are no secrets: they may be drawn many at a time. One by one they are a system call each.
class nonce_pool {
public:
    bytes_view take() {
        if (used_ == drawn_.size()) {
            random_bytes(drawn_);
            used_ = 0;
        }
        const auto out = bytes_view(drawn_).subspan(used_, nonce_bytes);
        used_ += nonce_bytes;
        return out;
    }

private:
    std::array<std::byte, 128 * nonce_bytes> drawn_{};
    std::size_t used_ = sizeof drawn_;
};

}  // namespace

class row_cipher::worker {
public:
    bytes seal(const row_key& key, bytes_view aad, bytes_view plaintext) {
        if (!sealing_.large || sealed_ == rows_per_salt_max) {
            random_bytes(own_salt_);
            sealing_ = expanded_key(key, own_salt_, true);
            sealed_ = 0;
        }
        ++sealed_;
        bytes out(row_cipher_overhead_bytes + plaintext.size());
        std::copy(own_salt_.begin(), own_salt_.end(), out.begin());
        const auto nonce = nonces_.take();
        std::copy(nonce.begin(), nonce.end(), out.begin() + salt_bytes);
        const auto body = mutable_bytes_view(out).subspan(salt_bytes + nonce_bytes);
        if (const auto* small = sealing_.for_small(plaintext.size())) {
            PP_ASSERT(crypto_aead_aes256gcm_encrypt_afternm(raw_out(body), nullptr, raw(plaintext), plaintext.size(),
                                                            raw(aad), aad.size(), nullptr, raw(nonce), small) == 0);
            return out;
        }
        auto* const c = sealing_.large.get();
        int n = 0, more = 0;
        PP_ASSERT(EVP_CipherInit_ex2(c, nullptr, nullptr, raw(nonce), 1, nullptr) == 1);
        PP_ASSERT(aad.empty() || EVP_CipherUpdate(c, nullptr, &n, raw(aad), static_cast<int>(aad.size())) == 1);
        n = 0;
        PP_ASSERT(plaintext.empty() ||
                  EVP_CipherUpdate(c, raw_out(body), &n, raw(plaintext), static_cast<int>(plaintext.size())) == 1);
        PP_ASSERT(EVP_CipherFinal_ex(c, raw_out(body) + n, &more) == 1);
        PP_ASSERT(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, tag_bytes, raw_out(body.subspan(plaintext.size()))) ==
                  1);
        return out;
    }

    result<void> open_into(const row_key& key, bytes& out, bytes_view aad, bytes_view sealed) {
        if (sealed.size() < row_cipher_overhead_bytes) return errc::not_authentic;
        const auto& with = opening(key, sealed.first(salt_bytes));
        const auto nonce = sealed.subspan(salt_bytes, nonce_bytes);
        const auto body = sealed.subspan(salt_bytes + nonce_bytes, sealed.size() - row_cipher_overhead_bytes);
        out.resize(body.size());
        if (const auto* small = with.for_small(body.size())) {
            const auto with_tag = sealed.subspan(salt_bytes + nonce_bytes);
            if (crypto_aead_aes256gcm_decrypt_afternm(raw_out(out), nullptr, nullptr, raw(with_tag), with_tag.size(),
                                                      raw(aad), aad.size(), raw(nonce), small) != 0)
                return errc::not_authentic;
            return {};
        }
        auto* const c = with.large.get();
        std::array<std::byte, tag_bytes> tag;
        std::copy_n(sealed.end() - tag_bytes, tag.size(), tag.begin());
        int n = 0, more = 0;
        PP_ASSERT(EVP_CipherInit_ex2(c, nullptr, nullptr, raw(nonce), 0, nullptr) == 1);
        PP_ASSERT(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1);
        PP_ASSERT(aad.empty() || EVP_CipherUpdate(c, nullptr, &n, raw(aad), static_cast<int>(aad.size())) == 1);
        n = 0;
        if ((!body.empty() && EVP_CipherUpdate(c, raw_out(out), &n, raw(body), static_cast<int>(body.size())) != 1) ||
            EVP_CipherFinal_ex(c, raw_out(out) + n, &more) != 1)
            return errc::not_authentic;
        return {};
    }

private:
    struct kept {
        salt of;
        expanded_key with;
    };
    // The last one that was used stands in front.
    const expanded_key& opening(const row_key& key, bytes_view with) {
        const auto at = std::find_if(kept_.begin(), kept_.end(),
                                     [&](const kept& k) { return std::equal(with.begin(), with.end(), k.of.begin()); });
        if (at != kept_.end()) {
            if (at != kept_.begin()) std::rotate(kept_.begin(), at, at + 1);
            return kept_.front().with;
        }
        if (kept_.size() == salts_kept_max) kept_.pop_back();
        kept fresh;
        std::copy(with.begin(), with.end(), fresh.of.begin());
        fresh.with = expanded_key(key, with, false);
        kept_.insert(kept_.begin(), std::move(fresh));
        return kept_.front().with;
    }

    salt own_salt_{};
    expanded_key sealing_;
    std::uint64_t sealed_ = 0;
    nonce_pool nonces_;
    std::vector<kept> kept_;
};

struct row_cipher::state {
    row_key key;
    std::mutex mutex;
    std::vector<std::unique_ptr<worker>> idle;   // of `mutex`
};

row_cipher::row_cipher(row_key key) : state_(std::make_unique<state>()) { state_->key = std::move(key); }
row_cipher::~row_cipher() = default;
row_cipher::row_cipher(row_cipher&&) noexcept = default;
row_cipher& row_cipher::operator=(row_cipher&&) noexcept = default;

row_cipher::borrowed row_cipher::borrow() const {
    std::unique_ptr<worker> w;
    {
        const std::lock_guard hold(state_->mutex);
        if (!state_->idle.empty()) {
            w = std::move(state_->idle.back());
            state_->idle.pop_back();
        }
    }
    if (!w) w = std::make_unique<worker>();
    return borrowed(*this, std::move(w));
}

row_cipher::borrowed::borrowed(const row_cipher& from, std::unique_ptr<worker> w)
    : from_(&from), worker_(std::move(w)) {}
row_cipher::borrowed::borrowed(borrowed&&) noexcept = default;
row_cipher::borrowed::~borrowed() {
    if (!worker_) return;
    const std::lock_guard hold(from_->state_->mutex);
    if (from_->state_->idle.size() < workers_kept_max) from_->state_->idle.push_back(std::move(worker_));
}

bytes row_cipher::borrowed::seal(bytes_view aad, bytes_view plaintext) {
    return worker_->seal(from_->state_->key, aad, plaintext);
}

result<void> row_cipher::borrowed::open_into(bytes& out, bytes_view aad, bytes_view sealed) {
    return worker_->open_into(from_->state_->key, out, aad, sealed);
}

}  // namespace pp::crypto

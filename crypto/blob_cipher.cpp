// Blobs (storage/FORMAT.md, "Blob"; 03-storage 3.4.3): STREAM nonces, a commitment to the key, OpenSSL for the bulk.
// Bytes: header = "PPB1" | suite | log2 of the chunk length (16) | flags u16 (0) | salt 16 | commitment 32;
// commitment = HKDF-SHA256(key, salt, "commit" | suite), cipher key = HKDF-SHA256(key, salt, "enc" | suite);
// nonce of chunk i = i as 11 bytes, big-endian, | 1 for the last chunk, 0 for any other; no AAD.
#include "crypto/blob_cipher.hpp"

#include "crypto/assert.hpp"
#include "crypto/hkdf.hpp"
#include "crypto/raw.hpp"

#include <openssl/evp.h>

#include <bit>
#include <limits>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace pp::crypto {

namespace {

constexpr std::array<std::byte, 4> magic{std::byte{'P'}, std::byte{'P'}, std::byte{'B'}, std::byte{'1'}};
constexpr std::size_t suite_at = 4, log2_chunk_at = 5, flags_at = 6, salt_at = 8, commitment_at = 24;
constexpr std::size_t salt_bytes = commitment_at - salt_at;
constexpr std::size_t commitment_bytes = blob_header_bytes - commitment_at;
constexpr std::byte log2_chunk{16};
static_assert(chunk_plain_bytes == std::size_t{1} << 16);

constexpr std::size_t nonce_bytes = 12;            // both suites
constexpr std::size_t length_bytes = 8;            // the true length at the end of the padding
constexpr std::uint64_t small_step = 512;          // padding: 512 B steps to 8 KiB ...
constexpr std::uint64_t small_max = 8 * 1024;
constexpr std::uint64_t buckets_per_power = 8;     // ... then eighths of powers of two
static_assert(small_max / buckets_per_power % small_step == 0, "the length never lies across two chunks");
constexpr std::byte blob_id_domain{0x02};

using cipher_key = secret_bytes<struct cipher_key_tag, 32>;
using commitment = std::array<std::byte, commitment_bytes>;

void put_le64(std::uint64_t value, std::byte* out) {
    for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

std::uint64_t get_le64(bytes_view in) {
    std::uint64_t out = 0;
    for (std::size_t i = 8; i-- > 0;) out = out << 8 | std::to_integer<std::uint64_t>(in[i]);
    return out;
}

// HKDF in its two halves: commitment and cipher key of a blob come from one extraction, which is half of the cost of
// opening a small mail.
void derive_from(const pseudorandom_key& extracted, std::string_view label, blob_suite suite, mutable_bytes_view out) {
    const auto number = static_cast<std::byte>(suite);
    hkdf_expand(extracted, {as_bytes(label), bytes_view(&number, 1)}, out);
}

const EVP_CIPHER* cipher_of(blob_suite suite) {
    static EVP_CIPHER* const aes = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    static EVP_CIPHER* const chacha = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
    auto* const out = suite == blob_suite::aes_256_gcm ? aes : chacha;
    PP_ASSERT(out != nullptr);
    return out;
}

// One context for the life of a blob: the key is expanded once, a chunk sets its nonce only.
class chunk_cipher {
public:
    enum class direction : int { decrypt = 0, encrypt = 1 };

    chunk_cipher(const pseudorandom_key& extracted, blob_suite suite, direction way)
        : context_(EVP_CIPHER_CTX_new()), way_(way) {
        PP_ASSERT(context_ != nullptr);
        cipher_key derived;
        derive_from(extracted, "enc", suite, derived.mutable_view());
        PP_ASSERT(EVP_CipherInit_ex2(context_.get(), cipher_of(suite), raw(derived.view()), nullptr,
                                     static_cast<int>(way), nullptr) == 1);
    }

    // out has the room of plain and tag.
    void encrypt(std::uint64_t index, bool last, bytes_view plain, mutable_bytes_view out) {
        set_nonce(index, last);
        int written = 0, more = 0;
        PP_ASSERT(EVP_CipherUpdate(context_.get(), raw_out(out), &written, raw(plain),
                                   static_cast<int>(plain.size())) == 1);
        PP_ASSERT(EVP_CipherFinal_ex(context_.get(), raw_out(out) + written, &more) == 1);
        PP_ASSERT(static_cast<std::size_t>(written + more) == plain.size());
        PP_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(chunk_tag_bytes),
                                      raw_out(out.subspan(plain.size()))) == 1);
    }

    // out has the room of sealed without its tag; what stands there is worth nothing when this says false.
    bool decrypt(std::uint64_t index, bool last, bytes_view sealed, mutable_bytes_view out) {
        set_nonce(index, last);
        std::array<std::byte, chunk_tag_bytes> tag;
        std::copy_n(sealed.end() - chunk_tag_bytes, tag.size(), tag.begin());
        PP_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()),
                                      tag.data()) == 1);
        int written = 0, more = 0;
        return EVP_CipherUpdate(context_.get(), raw_out(out), &written, raw(sealed),
                                static_cast<int>(sealed.size() - chunk_tag_bytes)) == 1 &&
               EVP_CipherFinal_ex(context_.get(), raw_out(out) + written, &more) == 1;
    }

private:
    struct context_free {
        void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }   // wipes the key
    };

    void set_nonce(std::uint64_t index, bool last) {
        std::array<std::byte, nonce_bytes> nonce{};
        for (std::size_t i = 0; i < 8; ++i)
            nonce[nonce_bytes - 2 - i] = static_cast<std::byte>(index >> (8 * i) & 0xff);
        nonce[nonce_bytes - 1] = last ? std::byte{1} : std::byte{0};
        PP_ASSERT(EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, raw(nonce), static_cast<int>(way_), nullptr) ==
                  1);
    }

    std::unique_ptr<EVP_CIPHER_CTX, context_free> context_;
    direction way_;
};

struct new_header {
    blob_header header;
    pseudorandom_key extracted;
};
new_header make_header(const blob_key& key, blob_suite suite) {
    blob_header out{};
    std::copy(magic.begin(), magic.end(), out.begin());
    out[suite_at] = static_cast<std::byte>(suite);
    out[log2_chunk_at] = log2_chunk;
    const auto salt = mutable_bytes_view(out).subspan(salt_at, salt_bytes);
    random_bytes(salt);
    auto extracted = hkdf_extract(salt, {key.view()});
    derive_from(extracted, "commit", suite, mutable_bytes_view(out).subspan(commitment_at));
    return {out, std::move(extracted)};
}

bytes_view salt_of(const blob_header& header) { return bytes_view(header).subspan(salt_at, salt_bytes); }

}  // namespace

blob_suite preferred_blob_suite() {
#if defined(__x86_64__) || defined(__i386__)
    static const bool has_aes = __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__) && defined(__linux__)
    static const bool has_aes = (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
    static const bool has_aes = true;   // every one of them
#else
    static const bool has_aes = false;
#endif
    return has_aes ? blob_suite::aes_256_gcm : blob_suite::chacha20_poly1305;
}

std::uint64_t padded_bytes(std::uint64_t plain_bytes) {
    if (plain_bytes > blob_padded_bytes_max - length_bytes) return std::numeric_limits<std::uint64_t>::max();
    const auto needed = plain_bytes + length_bytes;
    const auto step = needed <= small_max ? small_step : std::bit_floor(needed - 1) / buckets_per_power;
    return (needed + step - 1) / step * step;
}

std::uint64_t chunk_count(std::uint64_t padded_plain_bytes) {
    return padded_plain_bytes / chunk_plain_bytes + (padded_plain_bytes % chunk_plain_bytes != 0 ? 1 : 0);
}

std::uint64_t cipher_bytes(std::uint64_t padded_plain_bytes) {
    if (padded_plain_bytes > blob_padded_bytes_max) return std::numeric_limits<std::uint64_t>::max();
    return padded_plain_bytes + chunk_count(padded_plain_bytes) * chunk_tag_bytes;
}

blob_id make_blob_id(const blob_header& header, std::uint64_t cipher_bytes, const hash256& root) {
    std::array<std::byte, 1 + blob_header_bytes + 8 + hash256::size_bytes> input;
    auto at = input.begin();
    *at++ = blob_id_domain;
    at = std::copy(header.begin(), header.end(), at);
    put_le64(cipher_bytes, &*at);
    std::copy(root.data.begin(), root.data.end(), at + 8);
    return *blob_id::from(sha256(input).view());
}

// ---------------------------------------------------------------- encryption
struct blob_encryptor::state {
    state(const blob_key& key, blob_suite suite) : state(make_header(key, suite), suite) {}
    state(const new_header& made, blob_suite suite)
        : header(made.header), cipher(made.extracted, suite, chunk_cipher::direction::encrypt) {
        held.reserve(chunk_plain_bytes);
    }
    ~state() { wipe_held(); }
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    void wipe_held() {
        sodium_memzero(held.data(), held.size());
        held.clear();
    }

    void emit(bytes_view plain, bool last, bytes& out) {
        const auto at = out.size();
        out.resize(at + plain.size() + chunk_tag_bytes);
        const auto sealed = mutable_bytes_view(out).subspan(at);
        PP_ASSERT(leaves.size() < blob_chunks_max);
        cipher.encrypt(leaves.size(), last, plain, sealed);
        leaves.push_back(merkle::leaf_hash(sealed));
        tree.add(leaves.back());
        cipher_total += sealed.size();
    }

    blob_header header;
    chunk_cipher cipher;
    bytes held;   // less than one chunk, between calls
    std::uint64_t plain_total = 0, cipher_total = 0;
    std::vector<hash256> leaves;
    merkle::accumulator tree;
    std::uint64_t tail_left = 0;   // plaintext still to be encrypted, padding included; once ending
    bool ending = false, finished = false;
};

blob_encryptor::blob_encryptor(const blob_key& key, blob_suite suite) : state_(std::make_unique<state>(key, suite)) {}
blob_encryptor::~blob_encryptor() = default;
blob_encryptor::blob_encryptor(blob_encryptor&&) noexcept = default;

const blob_header& blob_encryptor::header() const { return state_->header; }

void blob_encryptor::update(bytes_view plaintext, bytes& out) {
    auto& s = *state_;
    PP_ASSERT(!s.ending);
    s.plain_total += plaintext.size();
    // A full chunk of plaintext is never the last one: at least the length follows. So it can leave at once, and
    // without a copy when it does not begin in an earlier piece.
    while (!plaintext.empty()) {
        if (s.held.empty() && plaintext.size() >= chunk_plain_bytes) {
            s.emit(plaintext.first(chunk_plain_bytes), false, out);
            plaintext = plaintext.subspan(chunk_plain_bytes);
            continue;
        }
        const auto take = std::min(plaintext.size(), chunk_plain_bytes - s.held.size());
        s.held.insert(s.held.end(), plaintext.begin(), plaintext.begin() + static_cast<std::ptrdiff_t>(take));
        plaintext = plaintext.subspan(take);
        if (s.held.size() == chunk_plain_bytes) {
            s.emit(s.held, false, out);
            s.wipe_held();
        }
    }
}

void blob_encryptor::finish(bytes& out) {
    while (!finish_some(~std::size_t{0}, out)) {}
}

bool blob_encryptor::finish_some(std::size_t chunks_max, bytes& out) {
    auto& s = *state_;
    PP_ASSERT(!s.finished);
    if (!s.ending) {
        s.ending = true;
        s.tail_left = padded_bytes(s.plain_total) - (s.plain_total - s.held.size());
    }
    std::size_t made = 0;
    for (; s.tail_left > chunk_plain_bytes; s.tail_left -= chunk_plain_bytes) {
        if (made++ >= std::max<std::size_t>(chunks_max, 1)) return false;
        s.held.resize(chunk_plain_bytes);   // zeros
        s.emit(s.held, false, out);
        s.wipe_held();
    }
    if (made >= std::max<std::size_t>(chunks_max, 1)) return false;
    s.finished = true;
    s.held.resize(static_cast<std::size_t>(s.tail_left));
    put_le64(s.plain_total, &s.held[s.held.size() - length_bytes]);
    s.emit(s.held, true, out);
    s.wipe_held();
    s.held = bytes();   // a finished encryptor may wait long for the commit of its mail
    return true;
}

std::uint64_t blob_encryptor::plain_bytes() const { return state_->plain_total; }
std::uint64_t blob_encryptor::cipher_bytes() const { return state_->cipher_total; }
const std::vector<hash256>& blob_encryptor::leaves() const { return state_->leaves; }
hash256 blob_encryptor::root() const { return state_->tree.root(); }

blob_id blob_encryptor::id() const {
    PP_ASSERT(state_->finished);
    return make_blob_id(state_->header, state_->cipher_total, root());
}

// ---------------------------------------------------------------- decryption
struct blob_decryptor::state {
    chunk_cipher cipher;
    std::uint64_t padded;   // plaintext with padding
    std::uint64_t chunks;

    std::size_t plain_bytes_of(std::uint64_t index) const {
        return static_cast<std::size_t>(index + 1 < chunks ? chunk_plain_bytes
                                                           : padded - (chunks - 1) * chunk_plain_bytes);
    }
};

blob_decryptor::blob_decryptor(std::unique_ptr<state> s) : state_(std::move(s)) {}
blob_decryptor::~blob_decryptor() = default;
blob_decryptor::blob_decryptor(blob_decryptor&&) noexcept = default;
blob_decryptor& blob_decryptor::operator=(blob_decryptor&&) noexcept = default;

result<blob_decryptor> blob_decryptor::open(const blob_key& key, const blob_header& header,
                                            std::uint64_t cipher_bytes) {
    if (!std::equal(magic.begin(), magic.end(), header.begin())) return errc::bad_header;
    const auto suite = static_cast<blob_suite>(header[suite_at]);
    if (suite != blob_suite::aes_256_gcm && suite != blob_suite::chacha20_poly1305) return errc::unknown_suite;
    if (header[log2_chunk_at] != log2_chunk || header[flags_at] != std::byte{0} || header[flags_at + 1] != std::byte{0})
        return errc::unknown_suite;   // a chunk length or feature that only a newer peerpost knows

    // Only the lengths that padding can give: anything else is cut, or was never one of ours.
    const auto chunks = cipher_bytes / chunk_cipher_bytes + (cipher_bytes % chunk_cipher_bytes != 0 ? 1 : 0);
    if (chunks == 0 || chunks > blob_chunks_max || cipher_bytes <= chunks * chunk_tag_bytes) return errc::bad_header;
    const auto padded = cipher_bytes - chunks * chunk_tag_bytes;
    if (padded < length_bytes || padded_bytes(padded - length_bytes) != padded || chunk_count(padded) != chunks)
        return errc::bad_header;

    const auto extracted = hkdf_extract(salt_of(header), {key.view()});
    commitment expected;
    derive_from(extracted, "commit", suite, expected);
    if (!equal_constant_time(expected, bytes_view(header).subspan(commitment_at))) return errc::wrong_commitment;
    return blob_decryptor(std::make_unique<state>(
        state{chunk_cipher(extracted, suite, chunk_cipher::direction::decrypt), padded, chunks}));
}

std::uint64_t blob_decryptor::chunks() const { return state_->chunks; }

result<void> blob_decryptor::decrypt(std::uint64_t index, bytes_view cipher_chunk, bytes& out) {
    out.clear();
    if (index >= state_->chunks || cipher_chunk.size() != state_->plain_bytes_of(index) + chunk_tag_bytes)
        return errc::not_authentic;
    out.resize(cipher_chunk.size() - chunk_tag_bytes);
    if (state_->cipher.decrypt(index, index + 1 == state_->chunks, cipher_chunk, out)) return {};
    sodium_memzero(out.data(), out.size());   // nothing unverified is ever returned
    out.clear();
    return errc::not_authentic;
}

result<std::uint64_t> blob_decryptor::plain_bytes(bytes_view last_chunk_plain) const {
    if (last_chunk_plain.size() != state_->plain_bytes_of(state_->chunks - 1)) return errc::bad_header;
    const auto padding_end = last_chunk_plain.size() - length_bytes;
    const auto length = get_le64(last_chunk_plain.subspan(padding_end));
    if (padded_bytes(length) != state_->padded) return errc::bad_header;
    // One plaintext, one padding: bytes smuggled into it are refused as far as this chunk shows them.
    const auto chunk_at = (state_->chunks - 1) * chunk_plain_bytes;
    const auto padding_at = static_cast<std::size_t>(length > chunk_at ? length - chunk_at : 0);
    const auto padding = last_chunk_plain.subspan(padding_at, padding_end - padding_at);
    if (!std::ranges::all_of(padding, [](std::byte b) { return b == std::byte{0}; })) return errc::bad_header;
    return length;
}

}  // namespace pp::crypto

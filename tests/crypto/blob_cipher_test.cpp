// Blobs: every length around the borders, random access, and every way to damage one.
#include "crypto/blob_cipher.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::crypto;

namespace {

struct sealed_blob {
    blob_header header;
    bytes cipher;
    blob_id id;
    hash256 root;
    std::vector<hash256> leaves;

    bytes_view chunk(std::uint64_t i) const {
        const auto at = static_cast<std::size_t>(i) * chunk_cipher_bytes;
        return bytes_view(cipher).subspan(at, std::min(chunk_cipher_bytes, cipher.size() - at));
    }
};

bytes some_plain(std::size_t n) {
    bytes out(n);
    std::uint32_t x = 12345;
    for (auto& b : out) {
        x = x * 1664525 + 1013904223;
        b = static_cast<std::byte>(x >> 24);
    }
    return out;
}

sealed_blob seal(const blob_key& key, bytes_view plain, blob_suite suite, std::size_t piece = ~std::size_t{0}) {
    blob_encryptor encryptor(key, suite);
    sealed_blob out{};
    for (bytes_view rest = plain; !rest.empty();) {
        const auto n = std::min(piece, rest.size());
        encryptor.update(rest.first(n), out.cipher);
        rest = rest.subspan(n);
    }
    encryptor.finish(out.cipher);
    REQUIRE(encryptor.plain_bytes() == plain.size());
    REQUIRE(encryptor.cipher_bytes() == out.cipher.size());
    out.header = encryptor.header();
    out.id = encryptor.id();
    out.root = encryptor.root();
    out.leaves = encryptor.leaves();
    return out;
}

result<bytes> open(const blob_key& key, const sealed_blob& blob) {
    auto decryptor = blob_decryptor::open(key, blob.header, blob.cipher.size());
    if (!decryptor) return decryptor.error();
    bytes whole, chunk;
    for (std::uint64_t i = 0; i < decryptor->chunks(); ++i) {
        if (auto ok = decryptor->decrypt(i, blob.chunk(i), chunk); !ok) return ok.error();
        whole.insert(whole.end(), chunk.begin(), chunk.end());
    }
    const auto length = decryptor->plain_bytes(chunk);
    if (!length) return length.error();
    whole.resize(static_cast<std::size_t>(*length));
    return whole;
}

constexpr blob_suite both_suites[] = {blob_suite::aes_256_gcm, blob_suite::chacha20_poly1305};

}  // namespace

TEST_CASE("padding keeps its steps and costs at most an eighth") {
    CHECK(padded_bytes(0) == 512);
    CHECK(padded_bytes(504) == 512);
    CHECK(padded_bytes(505) == 1024);
    CHECK(padded_bytes(8 * 1024 - 8) == 8 * 1024);
    CHECK(padded_bytes(8 * 1024 - 7) == 9 * 1024);
    CHECK(padded_bytes(16 * 1024 - 8) == 16 * 1024);
    CHECK(padded_bytes(16 * 1024 - 7) == 18 * 1024);
    std::uint64_t before = 0;
    for (std::uint64_t n = 0; n < 300000; ++n) {
        const auto padded = padded_bytes(n);
        if (padded < n + 8 || padded < before || padded % 512 != 0 || padded_bytes(padded - 8) != padded ||
            (n > 8192 && padded * 8 > (n + 8) * 9 + 8))
            FAIL("padding of " << n << " is " << padded);
        before = padded;
    }
    CHECK(padded_bytes(blob_padded_bytes_max - 8) == blob_padded_bytes_max);
    CHECK(padded_bytes(blob_padded_bytes_max - 7) == ~std::uint64_t{0});
    CHECK(padded_bytes(~std::uint64_t{0}) == ~std::uint64_t{0});
    CHECK(cipher_bytes(~std::uint64_t{0}) == ~std::uint64_t{0});
    CHECK(chunk_count(chunk_plain_bytes) == 1);
    CHECK(chunk_count(chunk_plain_bytes + 1) == 2);
    CHECK(cipher_bytes(chunk_plain_bytes + 512) == chunk_cipher_bytes + 512 + 16);
}

TEST_CASE("every length around the borders comes back") {
    const auto key = random<blob_key>();
    const auto plain = some_plain(4 * chunk_plain_bytes);
    for (const auto suite : both_suites)
        for (const std::size_t border : {std::size_t{0}, std::size_t{512}, std::size_t{8192}, chunk_plain_bytes,
                                         2 * chunk_plain_bytes, 3 * chunk_plain_bytes})
            for (int off = -18; off <= 18; ++off) {
                if (off < 0 && border < 18) continue;
                const auto n = border + static_cast<std::size_t>(off);
                INFO(n << " bytes");
                const auto blob = seal(key, bytes_view(plain).first(n), suite);
                REQUIRE(blob.cipher.size() == cipher_bytes(padded_bytes(n)));
                const auto back = open(key, blob);
                REQUIRE(back.has_value());
                REQUIRE(std::ranges::equal(*back, bytes_view(plain).first(n)));
            }
}

TEST_CASE("the pieces a plaintext comes in do not matter") {
    const auto key = random<blob_key>();
    const auto plain = some_plain(2 * chunk_plain_bytes + 777);
    for (const std::size_t piece : {std::size_t{1000}, chunk_plain_bytes - 1, chunk_plain_bytes, chunk_plain_bytes + 1,
                                    std::size_t{3}})
        CHECK(open(key, seal(key, plain, preferred_blob_suite(), piece)).value() == plain);
}

TEST_CASE("finished chunks leave at once, and what is held stays below one chunk") {
    blob_encryptor encryptor(random<blob_key>());
    bytes out;
    std::size_t given = 0;
    const auto piece = some_plain(10000);
    for (int i = 0; i < 50; ++i) {
        encryptor.update(piece, out);
        given += piece.size();
        CHECK(out.size() == given / chunk_plain_bytes * chunk_cipher_bytes);
        CHECK(encryptor.leaves().size() == given / chunk_plain_bytes);
    }
}

TEST_CASE("the end may be taken in steps, and no step is larger than asked for") {
    const auto key = random<blob_key>();
    for (const std::size_t size :
         {std::size_t{0}, chunk_plain_bytes - 8, chunk_plain_bytes, 40 * chunk_plain_bytes + 1}) {
        const auto plain = some_plain(size);
        for (const std::size_t step : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
            blob_encryptor encryptor(key);
            sealed_blob blob{};
            encryptor.update(plain, blob.cipher);
            for (bool ended = false; !ended;) {
                const auto before = blob.cipher.size();
                ended = encryptor.finish_some(step, blob.cipher);
                CHECK(blob.cipher.size() - before <= std::max<std::size_t>(step, 1) * chunk_cipher_bytes);
                CHECK(blob.cipher.size() > before);
            }
            CHECK(blob.cipher.size() == cipher_bytes(padded_bytes(size)));
            blob.header = encryptor.header();
            blob.id = encryptor.id();
            blob.root = encryptor.root();
            blob.leaves = encryptor.leaves();
            CHECK(open(key, blob).value() == plain);
        }
    }
}

TEST_CASE("long padding may add whole chunks") {
    const auto key = random<blob_key>();
    const auto plain = some_plain(1024 * 1024 + 1);   // padded to 1.125 MiB: one and a bit of chunks are zeros
    const auto blob = seal(key, plain, preferred_blob_suite());
    CHECK(blob.leaves.size() == 18);
    CHECK(open(key, blob).value() == plain);
}

TEST_CASE("chunks open in any order, and the tree is the one over the encrypted chunks") {
    const auto key = random<blob_key>();
    const auto plain = some_plain(5 * chunk_plain_bytes + 5);
    const auto blob = seal(key, plain, preferred_blob_suite());
    auto decryptor = blob_decryptor::open(key, blob.header, blob.cipher.size()).value();
    bytes chunk;
    for (std::uint64_t i : {3u, 0u, 5u, 1u, 4u, 2u, 0u}) {
        REQUIRE(decryptor.decrypt(i, blob.chunk(i), chunk));
        const auto at = static_cast<std::size_t>(i) * chunk_plain_bytes;
        const auto expected = bytes_view(plain).subspan(at, std::min(chunk_plain_bytes, plain.size() - at));
        CHECK(std::ranges::equal(bytes_view(chunk).first(expected.size()), expected));
        CHECK(merkle::leaf_hash(blob.chunk(i)) == blob.leaves[static_cast<std::size_t>(i)]);
    }
    const merkle::tree tree(blob.leaves);
    CHECK(tree.root() == blob.root);
    CHECK(make_blob_id(blob.header, blob.cipher.size(), blob.root) == blob.id);
    CHECK(merkle::verify_range(blob.root, 6, 2, std::span(blob.leaves).subspan(2, 2), tree.range_proof(2, 2)));
}

TEST_CASE("every flipped bit of a small blob is noticed") {
    const auto key = random<blob_key>();
    for (const auto suite : both_suites) {
        auto blob = seal(key, as_bytes("a short mail"), suite);
        REQUIRE(open(key, blob).has_value());
        for (std::size_t bit = 0; bit < blob.cipher.size() * 8; ++bit) {
            blob.cipher[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            REQUIRE(open(key, blob).error() == errc::not_authentic);
            REQUIRE(merkle::leaf_hash(blob.chunk(0)) != blob.leaves[0]);
            blob.cipher[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        }
        for (std::size_t bit = 0; bit < blob.header.size() * 8; ++bit) {
            blob.header[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            INFO("header bit " << bit);
            const auto failed = open(key, blob);
            REQUIRE_FALSE(failed.has_value());
            if (bit < 32) REQUIRE(failed.error() == errc::bad_header);
            else if (bit >= 64) REQUIRE(failed.error() == errc::wrong_commitment);
            REQUIRE(make_blob_id(blob.header, blob.cipher.size(), blob.root) != blob.id);
            blob.header[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        }
        REQUIRE(open(key, blob).has_value());
    }
}

TEST_CASE("chunks cannot change places, be left out, or end the blob early") {
    const auto key = random<blob_key>();
    const auto plain = some_plain(3 * chunk_plain_bytes + 100);
    const auto blob = seal(key, plain, preferred_blob_suite());
    auto decryptor = blob_decryptor::open(key, blob.header, blob.cipher.size()).value();
    REQUIRE(decryptor.chunks() == 4);
    bytes out(10);
    for (std::uint64_t place = 0; place < 4; ++place)
        for (std::uint64_t chunk = 0; chunk < 4; ++chunk) {
            CHECK(decryptor.decrypt(place, blob.chunk(chunk), out).has_value() == (place == chunk));
            if (place != chunk) CHECK(out.empty());
        }
    CHECK(decryptor.decrypt(4, blob.chunk(3), out).error() == errc::not_authentic);
    CHECK(decryptor.decrypt(~std::uint64_t{0}, blob.chunk(3), out).error() == errc::not_authentic);

    // The last chunk dropped: the length is one that a blob can have, the last flag is missing.
    auto dropped = blob;
    dropped.cipher.resize(2 * chunk_cipher_bytes);
    CHECK(open(key, dropped).error() == errc::not_authentic);
    CHECK(make_blob_id(dropped.header, dropped.cipher.size(), blob.root) != blob.id);
}

TEST_CASE("a blob cut at any byte does not open") {
    const auto key = random<blob_key>();
    const auto blob = seal(key, some_plain(3000), preferred_blob_suite());
    for (std::size_t cut = 0; cut < blob.cipher.size(); ++cut) {
        auto part = blob;
        part.cipher.resize(cut);
        INFO("cut to " << cut);
        const auto failed = open(key, part);
        REQUIRE_FALSE(failed.has_value());
        REQUIRE((failed.error() == errc::bad_header || failed.error() == errc::not_authentic));
    }
    CHECK(blob_decryptor::open(key, blob.header, ~std::uint64_t{0}).error() == errc::bad_header);
    CHECK(blob_decryptor::open(key, blob.header, chunk_cipher_bytes + 16).error() == errc::bad_header);
}

TEST_CASE("a blob opens with one key only: two-key chunks fail on the commitment") {
    const auto key = random<blob_key>(), other = random<blob_key>();
    for (const auto suite : both_suites) {
        const auto blob = seal(key, as_bytes("for you"), suite);
        CHECK(open(other, blob).error() == errc::wrong_commitment);

        // A sender who crafts ciphertext for two keys can give one commitment only, whoever's it is.
        auto crafted = blob;
        const auto second = seal(other, as_bytes("for the other"), suite);
        std::copy(second.header.begin() + 24, second.header.end(), crafted.header.begin() + 24);
        CHECK(open(key, crafted).error() == errc::wrong_commitment);
        CHECK(open(other, crafted).error() == errc::wrong_commitment);   // the salt is another: so is the commitment
        crafted.header = second.header;
        CHECK(open(key, crafted).error() == errc::wrong_commitment);
        CHECK(open(other, crafted).error() == errc::not_authentic);
    }
}

TEST_CASE("one plaintext gives different blobs, and suites do not mix") {
    const auto key = random<blob_key>();
    const auto one = seal(key, as_bytes("same"), blob_suite::aes_256_gcm);
    const auto two = seal(key, as_bytes("same"), blob_suite::aes_256_gcm);
    CHECK(one.id != two.id);
    CHECK(one.cipher != two.cipher);
    auto other_suite = one;
    other_suite.header[4] = static_cast<std::byte>(blob_suite::chacha20_poly1305);
    CHECK(open(key, other_suite).error() == errc::wrong_commitment);
    for (const int suite : {0, 3, 255}) {
        other_suite.header[4] = static_cast<std::byte>(suite);
        CHECK(open(key, other_suite).error() == errc::unknown_suite);
    }
}

TEST_CASE("padding that makes no sense is refused") {
    const auto key = random<blob_key>();
    const auto blob = seal(key, as_bytes("mail"), preferred_blob_suite());
    auto decryptor = blob_decryptor::open(key, blob.header, blob.cipher.size()).value();
    bytes chunk;
    REQUIRE(decryptor.decrypt(0, blob.chunk(0), chunk));
    REQUIRE(decryptor.plain_bytes(chunk).value() == 4);
    auto wrong = chunk;
    wrong[100] = std::byte{1};
    CHECK(decryptor.plain_bytes(wrong).error() == errc::bad_header);
    wrong = chunk;
    wrong[wrong.size() - 7] = std::byte{2};   // 516 bytes: another bucket
    CHECK(decryptor.plain_bytes(wrong).error() == errc::bad_header);
    wrong = chunk;
    wrong.back() = std::byte{0xff};
    CHECK(decryptor.plain_bytes(wrong).error() == errc::bad_header);
    CHECK(decryptor.plain_bytes(bytes_view(chunk).first(100)).error() == errc::bad_header);
    CHECK(decryptor.plain_bytes({}).error() == errc::bad_header);
}

// Sealed rows of the view: bound to key and place, salts that change, workers that are shared.
#include "crypto/hkdf.hpp"
#include "crypto/row_cipher.hpp"

#include <catch2/catch.hpp>
#include <openssl/evp.h>

#include <set>
#include <thread>

using namespace pp;
using namespace pp::crypto;

namespace {
row_key some_key(int n) {
    std::array<std::byte, 32> raw{};
    raw[0] = static_cast<std::byte>(n);
    return *row_key::from(raw);
}
bytes opened(row_cipher& c, bytes_view aad, bytes_view sealed) {
    bytes out;
    auto b = c.borrow();
    REQUIRE(b.open_into(out, aad, sealed));
    return out;
}
}  // namespace

TEST_CASE("rows open under their key and in their place only, and no bit of them may change") {
    row_cipher ours(some_key(1)), other(some_key(2));
    for (const std::size_t size : {0u, 1u, 15u, 16u, 80u, 512u, 513u, 5000u}) {
        const bytes plain(size, std::byte{7});
        auto sealed = ours.borrow().seal(as_bytes("msg|7"), plain);
        REQUIRE(sealed.size() == size + row_cipher_overhead_bytes);
        CHECK(opened(ours, as_bytes("msg|7"), sealed) == plain);
        bytes out;
        CHECK(ours.borrow().open_into(out, as_bytes("msg|8"), sealed).error() == errc::not_authentic);
        CHECK(other.borrow().open_into(out, as_bytes("msg|7"), sealed).error() == errc::not_authentic);
        CHECK(opened(ours, as_bytes("msg|7"), sealed) == plain);   // a failure leaves nothing behind in the worker
        for (std::size_t cut = 0; cut < sealed.size(); cut += 1 + cut / 8)
            CHECK(ours.borrow().open_into(out, as_bytes("msg|7"), bytes_view(sealed).first(cut)).error() ==
                  errc::not_authentic);
        for (std::size_t at = 0; at < sealed.size(); at += 1 + at / 8) {
            sealed[at] ^= std::byte{4};
            CHECK(ours.borrow().open_into(out, as_bytes("msg|7"), sealed).error() == errc::not_authentic);
            sealed[at] ^= std::byte{4};
        }
    }
}

TEST_CASE("every writer has a salt of its own, no nonce comes twice, and more salts than are kept open all the same") {
    std::set<bytes> salts, nonces;
    std::vector<bytes> all;
    for (int writer = 0; writer < 50; ++writer) {
        row_cipher c(some_key(1));
        for (int i = 0; i < 3; ++i) {
            all.push_back(c.borrow().seal({}, as_bytes("row")));
            salts.insert(to_bytes(bytes_view(all.back()).first(12)));
            nonces.insert(to_bytes(bytes_view(all.back()).first(24)));
        }
    }
    CHECK(salts.size() == 50);
    CHECK(nonces.size() == all.size());
    row_cipher reader(some_key(1));
    for (int round = 0; round < 2; ++round)
        for (const auto& sealed : all) CHECK(as_text(opened(reader, {}, sealed)) == "row");
}

TEST_CASE("the bytes of a sealed row") {
    // Layout: storage/FORMAT.md, "View". Whoever has a view of version 3 or later reads these.
    const auto key = some_key(9);
    const row_cipher ours(key.clone());
    for (const int size : {0, 1, 7, 512, 513, 5000}) {
        const bytes content(static_cast<std::size_t>(size), std::byte{0x5a});
        const auto sealed = ours.borrow().seal(as_bytes("place"), content);
        row_key under;
        hkdf_sha256(key.view(), bytes_view(sealed).first(12), "peerpost row 1", under.mutable_view());
        auto* c = EVP_CIPHER_CTX_new();
        int n = 0;
        const auto* raw = reinterpret_cast<const unsigned char*>(sealed.data());
        bytes out(content.size() + 1);   // never empty: OpenSSL takes no null
        auto* to = reinterpret_cast<unsigned char*>(out.data());
        REQUIRE(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), nullptr,
                                   reinterpret_cast<const unsigned char*>(under.view().data()), raw + 12) == 1);
        REQUIRE(EVP_DecryptUpdate(c, nullptr, &n, reinterpret_cast<const unsigned char*>("place"), 5) == 1);
        REQUIRE(EVP_DecryptUpdate(c, to, &n, raw + 24, size) == 1);
        REQUIRE(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, const_cast<unsigned char*>(raw + 24 + size)) == 1);
        CHECK(EVP_DecryptFinal_ex(c, to + size, &n) == 1);
        out.pop_back();
        CHECK(out == content);
        EVP_CIPHER_CTX_free(c);
    }
}

TEST_CASE("several threads open and seal at once") {
    row_cipher c(some_key(3));
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i) {
                const bytes plain(static_cast<std::size_t>(i % 90), static_cast<std::byte>(t));
                const auto sealed = c.borrow().seal(as_bytes("x"), plain);
                bytes out;
                if (!c.borrow().open_into(out, as_bytes("x"), sealed) || out != plain) ++wrong;
            }
        });
    for (auto& t : threads) t.join();
    CHECK(wrong == 0);
}

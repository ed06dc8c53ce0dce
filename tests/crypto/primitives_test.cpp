// Published vectors of every primitive, and what a changed bit does.
#include "crypto/hkdf.hpp"
#include "crypto/primitives.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::crypto;

namespace {

bytes unhex(std::string_view text) { return from_hex(text).value(); }

}  // namespace

TEST_CASE("SHA-256 gives the values of FIPS 180-4") {
    CHECK(hex(sha256({}).view()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hex(sha256(as_bytes("abc")).view()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).view()) ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(hex(sha256(bytes(1000000, std::byte{'a'})).view()) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 in pieces is SHA-256 of the whole") {
    bytes data(300);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * i);
    const auto whole = sha256(data);
    for (std::size_t cut = 0; cut <= data.size(); ++cut) {
        sha256_stream stream;
        stream.update(bytes_view(data).first(cut));
        sha256_stream moved = std::move(stream);
        moved.update(bytes_view(data).subspan(cut));
        CHECK(moved.finish() == whole);
    }
}

TEST_CASE("HKDF-SHA256 gives the values of RFC 5869 appendix A") {
    bytes out(42);
    hkdf_sha256(unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), unhex("000102030405060708090a0b0c"),
                as_text(unhex("f0f1f2f3f4f5f6f7f8f9")), out);
    CHECK(hex(out) == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");

    bytes key, salt, info;
    for (int i = 0; i < 80; ++i) {
        key.push_back(static_cast<std::byte>(i));
        salt.push_back(static_cast<std::byte>(0x60 + i));
        info.push_back(static_cast<std::byte>(0xb0 + i));
    }
    out.resize(82);
    hkdf_sha256(key, salt, as_text(info), out);
    CHECK(hex(out) == "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                      "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");

    out.resize(42);
    hkdf_sha256(unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), {}, "", out);
    CHECK(hex(out) == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("HKDF reaches its longest output and its start does not depend on the length") {
    bytes longest(hkdf_output_bytes_max), shorter(33);
    hkdf_sha256(as_bytes("key"), as_bytes("salt"), "info", longest);
    hkdf_sha256(as_bytes("key"), as_bytes("salt"), "info", shorter);
    CHECK(std::ranges::equal(shorter, bytes_view(longest).first(33)));
}

TEST_CASE("derive names keys by purpose") {
    const auto from = random<root_key>();
    const auto a = derive<row_key>(from.view(), "a"), again = derive<row_key>(from.view(), "a"),
               b = derive<row_key>(from.view(), "b");
    CHECK(std::ranges::equal(a.view(), again.view()));
    CHECK_FALSE(std::ranges::equal(a.view(), b.view()));
}

TEST_CASE("keyed BLAKE2b depends on key and data") {
    bytes key;
    for (int i = 0; i < 32; ++i) key.push_back(static_cast<std::byte>(i));
    const auto one = blake2b_keyed(key, as_bytes("abc"));
    // from another implementation
    CHECK(hex(one.view()) == "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
    CHECK(one != blake2b_keyed(key, as_bytes("abd")));
    key[31] ^= std::byte{1};
    CHECK(one != blake2b_keyed(key, as_bytes("abc")));
}

TEST_CASE("Ed25519 gives the values of RFC 8032 section 7.1") {
    struct row { const char *seed, *public_key, *message, *signature_text; };
    const row rows[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"},
    };
    for (const auto& r : rows) {
        const signing_key key(ed25519_seed::from(unhex(r.seed)).value());
        CHECK(hex(key.public_key()) == r.public_key);
        const auto message = unhex(r.message);
        const auto sig = key.sign(message);
        CHECK(hex(sig.view()) == r.signature_text);
        CHECK(verify(key.public_key(), message, sig));
        CHECK(hex(key.clone().sign(message).view()) == r.signature_text);
    }
}

TEST_CASE("every flipped bit of a signature, message or key is noticed") {
    const auto key = signing_key::generate();
    auto message = to_bytes(std::string_view("one mail"));
    auto sig = key.sign(message);
    auto public_key = to_bytes(key.public_key());
    REQUIRE(verify(public_key, message, sig));
    const auto flips_are_noticed = [&](mutable_bytes_view where) {
        for (std::size_t bit = 0; bit < where.size() * 8; ++bit) {
            where[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            CHECK_FALSE(verify(public_key, message, sig));
            where[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        }
    };
    flips_are_noticed(sig.data);
    flips_are_noticed(message);
    flips_are_noticed(public_key);
    CHECK_FALSE(verify(bytes_view(public_key).first(31), message, sig));
    CHECK(verify(public_key, message, sig));
}

TEST_CASE("X25519 gives the public keys of RFC 9180 appendix A.2") {
    const auto secret =
        prekey_secret::from(unhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")).value();
    CHECK(hex(prekey_of(secret).view()) == "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
}

TEST_CASE("a row opens with its key and place only") {
    const auto key = random<row_key>(), other = random<row_key>();
    for (std::size_t n : {0, 1, 15, 16, 17, 300}) {
        bytes plain(n, std::byte{7});
        auto sealed = seal_row(key, as_bytes("mail|7"), plain);
        CHECK(sealed.size() == n + row_overhead_bytes);
        CHECK(open_row(key, as_bytes("mail|7"), sealed).value() == plain);
        CHECK(open_row(key, as_bytes("mail|8"), sealed).error() == errc::not_authentic);
        CHECK(open_row(other, as_bytes("mail|7"), sealed).error() == errc::not_authentic);
        CHECK(seal_row(key, as_bytes("mail|7"), plain) != sealed);
        for (std::size_t cut = 0; cut < sealed.size(); ++cut)
            CHECK(open_row(key, as_bytes("mail|7"), bytes_view(sealed).first(cut)).error() == errc::not_authentic);
        for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
            sealed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            CHECK(open_row(key, as_bytes("mail|7"), sealed).error() == errc::not_authentic);
            sealed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        }
    }
}

TEST_CASE("CRC-32C gives the values of RFC 3720 appendix B.4") {
    CHECK(crc32c(as_bytes("123456789")) == 0xe3069283);
    CHECK(crc32c(bytes(32)) == 0x8a9136aa);
    CHECK(crc32c(bytes(32, std::byte{0xff})) == 0x62a8ab43);
    CHECK(crc32c({}) == 0);
}

TEST_CASE("random values differ") {
    CHECK(random<hash256>() != random<hash256>());
    CHECK(random_u64() != random_u64());
}

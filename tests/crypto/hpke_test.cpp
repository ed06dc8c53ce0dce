// HPKE: the vectors of RFC 9180 appendix A.2.1, and what a changed bit does.
#include "crypto/hpke.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::crypto;

namespace {

bytes unhex(std::string_view text) { return from_hex(text).value(); }

}  // namespace

TEST_CASE("sealing gives the bytes of RFC 9180 appendix A.2.1, sequence number 0") {
    const auto ephemeral =
        prekey_secret::from(unhex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")).value();
    const auto recipient_secret =
        prekey_secret::from(unhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")).value();
    const auto recipient =
        prekey::from(unhex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a")).value();
    CHECK(prekey_of(recipient_secret) == recipient);
    const auto info = unhex("4f6465206f6e2061204772656369616e2055726e");
    const auto plain = unhex("4265617574792069732074727574682c20747275746820626561757479");
    const auto aad = unhex("436f756e742d30");
    const auto sealed = hpke::seal_with(ephemeral, recipient, info, aad, plain);
    CHECK(hex(sealed) == "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
                         "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28");
    CHECK(hpke::open(recipient_secret, info, aad, sealed).value() == plain);
}

TEST_CASE("a sealed message opens for its recipient, purpose and place only") {
    const auto secret = random<prekey_secret>(), other = random<prekey_secret>();
    for (std::size_t n : {0, 1, 100}) {
        const bytes plain(n, std::byte{9});
        auto sealed = hpke::seal(prekey_of(secret), as_bytes("info"), as_bytes("aad"), plain);
        CHECK(sealed.size() == n + hpke::overhead_bytes);
        CHECK(sealed != hpke::seal(prekey_of(secret), as_bytes("info"), as_bytes("aad"), plain));
        CHECK(hpke::open(secret, as_bytes("info"), as_bytes("aad"), sealed).value() == plain);
        CHECK(hpke::open(other, as_bytes("info"), as_bytes("aad"), sealed).error() == errc::not_authentic);
        CHECK(hpke::open(secret, as_bytes("inf"), as_bytes("aad"), sealed).error() == errc::not_authentic);
        CHECK(hpke::open(secret, as_bytes("info"), as_bytes("aae"), sealed).error() == errc::not_authentic);
        for (std::size_t cut = 0; cut < sealed.size(); ++cut)
            CHECK(hpke::open(secret, as_bytes("info"), as_bytes("aad"), bytes_view(sealed).first(cut)).error() ==
                  (cut < hpke::overhead_bytes ? errc::bad_length : errc::not_authentic));
        for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
            sealed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            CHECK(hpke::open(secret, as_bytes("info"), as_bytes("aad"), sealed).error() == errc::not_authentic);
            sealed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        }
    }
}

TEST_CASE("points of small order are refused on both sides (RFC 9180 section 7.1.4)") {
    const auto secret = random<prekey_secret>();
    for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                              "0100000000000000000000000000000000000000000000000000000000000000",
                              "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
        const auto weak = prekey::from(unhex(point)).value();
        CHECK(hpke::seal(weak, {}, {}, as_bytes("secret")).empty());
        auto sealed = hpke::seal(prekey_of(secret), {}, {}, as_bytes("secret"));
        std::copy(weak.data.begin(), weak.data.end(), sealed.begin());
        CHECK(hpke::open(secret, {}, {}, sealed).error() == errc::not_authentic);
    }
}

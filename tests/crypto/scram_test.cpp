// SCRAM-SHA-256: the example of RFC 7677 section 3.
#include "crypto/scram.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::crypto;

namespace {
const bytes salt = *from_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
const std::string auth_message =
    "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,"
    "i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const hash256 proof = *hash256::from(*from_base64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
}  // namespace

TEST_CASE("the proof of RFC 7677 is good and gets the signature of RFC 7677") {
    const auto signature = check_scram_proof(make_scram_keys("pencil", salt, 4096), auth_message, proof);
    REQUIRE(signature);
    CHECK(base64(signature->view()) == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_CASE("a proof fits one password, one salt, one count and one exchange only") {
    CHECK_FALSE(check_scram_proof(make_scram_keys("pencils", salt, 4096), auth_message, proof));
    CHECK_FALSE(check_scram_proof(make_scram_keys("pencil", salt, 4095), auth_message, proof));
    CHECK_FALSE(check_scram_proof(make_scram_keys("pencil", to_bytes("salt"), 4096), auth_message, proof));
    CHECK_FALSE(check_scram_proof(make_scram_keys("pencil", salt, 4096), auth_message + "0", proof));
    const auto keys = make_scram_keys("pencil", salt, 4096);
    for (std::size_t at = 0; at < proof.data.size(); ++at) {
        auto damaged = proof;
        damaged.data[at] ^= std::byte{1};
        CHECK_FALSE(check_scram_proof(keys, auth_message, damaged));
    }
}

TEST_CASE("keys that were never made are opened by no proof") {
    CHECK_FALSE(check_scram_proof(scram_keys{}, auth_message, proof));
    CHECK_FALSE(check_scram_proof(scram_keys{}, auth_message, hash256{}));
}

#include "tests/proto/sasl/scram_desk.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::sasl;
using fault = scram_exchange::fault;

namespace {

const std::string nonce = "rOprNGfwEbeRWgbNEkqO";
const std::string both = nonce + sasl::test::server_nonce;
const std::string bare = "n=user,r=" + nonce;
const std::string proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";   // RFC 7677 section 3

fault first_fault(std::string_view message, bool plus = false, bool plus_offered = false) {
    scram_exchange e(plus, plus_offered);
    return e.client_first(message) ? fault::none : e.why();
}

// The fault of a second message in the exchange of RFC 7677.
fault final_fault(std::string_view message) {
    scram_exchange e(false, false);
    const auto begin = e.client_first("n,," + bare);
    REQUIRE(begin);
    REQUIRE(e.server_first(sasl::test::answer(*begin)));
    return e.client_final(message) ? fault::none : e.why();
}

}  // namespace

TEST_CASE("SCRAM: the exchange of RFC 7677 section 3", "[sasl]") {
    scram_exchange e(false, true);
    const auto begin = e.client_first("n,," + bare);
    REQUIRE(begin);
    CHECK(begin->user == "user");
    CHECK(begin->channel_binding.empty());
    CHECK(e.server_first(sasl::test::answer(*begin)) == "r=" + both + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    const auto final = e.client_final("c=biws,r=" + both + ",p=" + proof);
    REQUIRE(final);
    CHECK(final->user == "user");
    const auto verdict = sasl::test::answer(*final);
    REQUIRE(verdict.server_signature);
    CHECK(scram_exchange::server_final(*verdict.server_signature) == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_CASE("SCRAM: optional extensions are passed over and signed", "[sasl]") {
    scram_exchange e(false, false);
    const auto begin = e.client_first("n,," + bare);
    REQUIRE(begin);
    REQUIRE(e.server_first(sasl::test::answer(*begin)));
    const auto final = e.client_final("c=biws,r=" + both + ",x=opt,p=OSFyg6fx11+jK5h7H2TsC1+fxjCrRIw798j78FIRBpw=");
    REQUIRE(final);
    CHECK(sasl::test::answer(*final).server_signature);
    CHECK(first_fault("n,," + bare + ",x=1,y=2") == fault::none);
    CHECK(first_fault("n,,m=must," + bare) == fault::malformed);
    CHECK(first_fault("n,," + bare + ",m=must") == fault::malformed);
}

TEST_CASE("SCRAM: names carry commas and equals signs in code", "[sasl]") {
    scram_exchange e(false, false);
    const auto begin = e.client_first("n,,n=us=2Cer=3D,r=abc");
    REQUIRE(begin);
    CHECK(begin->user == "us,er=");
    for (const auto* bad : {"n,,n=a=b,r=abc", "n,,n=a=2c,r=abc", "n,,n=a=,r=abc", "n,,n=,r=abc", "n,,n=a=3,r=abc"})
        CHECK(first_fault(bad) == fault::malformed);
    CHECK(first_fault("n,,n=" + std::string(scram_user_bytes_max, 'x') + ",r=abc") == fault::none);
    CHECK(first_fault("n,,n=" + std::string(scram_user_bytes_max + 1, 'x') + ",r=abc") == fault::malformed);
    CHECK(first_fault(std::string_view("n,,n=a\0b,r=abc", 14)) == fault::malformed);
}

TEST_CASE("SCRAM: nobody acts for another", "[sasl]") {
    CHECK(first_fault("n,a=user," + bare) == fault::none);
    CHECK(first_fault("n,a=bob," + bare) == fault::for_another);
    CHECK(first_fault("n,b=user," + bare) == fault::malformed);
    CHECK(first_fault("n,a=," + bare) == fault::none);   // GNU SASL, for nobody else
    CHECK(first_fault("n,a==," + bare) == fault::malformed);
}

TEST_CASE("SCRAM: a first message that is none", "[sasl]") {
    const std::vector<std::string> none{"", "n", "n,", "n,,", "x,," + bare, "," + bare, "n,,r=abc,n=user", "n,,n=user",
                                        "n,,n=user,", "n,,n=user,r=", "n,,n=user,r=a b", "n,,n=user,r=abc,",
                                        "n,,n=user,r=abc,x", "n,,n=user,r=abc,1=x", "p=,," + bare, "p=a_b,," + bare};
    for (const auto& bad : none) {
        INFO(bad);
        CHECK(first_fault(bad) == fault::malformed);
    }
    CHECK(first_fault("n,,n=user,r=" + std::string(scram_nonce_bytes_max, 'r')) == fault::none);
    CHECK(first_fault("n,,n=user,r=" + std::string(scram_nonce_bytes_max + 1, 'r')) == fault::malformed);
    CHECK(first_fault("n,," + bare + ",x=" + std::string(scram_message_bytes_max, 'x')) == fault::malformed);
}

TEST_CASE("SCRAM: a last message that is none, or not of this exchange", "[sasl]") {
    const auto good = "c=biws,r=" + both + ",p=" + proof;
    CHECK(final_fault(good) == fault::none);
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
        INFO("cut at " << cut);
        CHECK(final_fault(good.substr(0, cut)) == fault::malformed);
    }
    const auto end = ",p=" + proof;
    const std::vector<std::string> none{good + ",x=y", good + ",", "r=" + both + ",c=biws" + end,
                                        "c=biws,r=" + nonce + end, "c=biws,r=" + both + "x" + end,
                                        "c=biws,r=" + both + ",p=AAAA", "c=!,r=" + both + end,
                                        "c=biws,r=" + both + ",m=x" + end, good + "AAAA"};
    for (const auto& bad : none) {
        INFO(bad);
        CHECK(final_fault(bad) == fault::malformed);
    }
    CHECK(final_fault("c=eSws,r=" + both + ",p=" + proof) == fault::wrong_binding);   // "y,,"
    CHECK(final_fault("c=,r=" + both + ",p=" + proof) == fault::wrong_binding);
}

TEST_CASE("SCRAM-PLUS: bound to this channel or refused", "[sasl]") {
    const auto go = [](std::string_view c, std::string_view p) {
        scram_exchange e(true, true);
        const auto begin = e.client_first("p=tls-exporter,," + bare);
        REQUIRE(begin);
        CHECK(begin->channel_binding == "tls-exporter");
        REQUIRE(e.server_first(sasl::test::answer(*begin)));
        const auto final = e.client_final("c=" + std::string(c) + ",r=" + both + ",p=" + std::string(p));
        if (!final) return e.why();
        CHECK(sasl::test::answer(*final).server_signature);
        return fault::none;
    };
    CHECK(go("cD10bHMtZXhwb3J0ZXIsLGJpbmRpbmc=", "vlaVCaZ/4tEMvvhXCqFBrw3mj6GIYw1GtIoAPgb+Mlg=") == fault::none);
    // another channel, with a proof that is right for it; and no binding data at all
    CHECK(go("cD10bHMtZXhwb3J0ZXIsLGJpbmRpbkc=", "3uM/pNcwGgvjP3r87uPPn5ixRMvF5G6aLKxhysDpSe8=") ==
          fault::wrong_binding);
    CHECK(go("cD10bHMtZXhwb3J0ZXIsLA==", proof) == fault::wrong_binding);

    scram_exchange other(true, true);
    const auto begin = other.client_first("p=tls-unique,," + bare);
    REQUIRE(begin);
    CHECK_FALSE(other.server_first(sasl::test::answer(*begin)));   // a type that this connection has not
    CHECK(other.why() == fault::wrong_binding);
}

TEST_CASE("SCRAM: an offer that was cut on the way is noticed", "[sasl]") {
    CHECK(first_fault("y,," + bare, false, false) == fault::none);            // we really have no binding
    CHECK(first_fault("y,," + bare, false, true) == fault::wrong_binding);    // RFC 5802 section 6
    CHECK(first_fault("n,," + bare, true, true) == fault::wrong_binding);     // -PLUS without a binding
    CHECK(first_fault("y,," + bare, true, true) == fault::wrong_binding);
    CHECK(first_fault("p=tls-exporter,," + bare, false, true) == fault::wrong_binding);   // a binding without -PLUS
}

#include "proto/sasl/mechanism.hpp"

#include <catch2/catch.hpp>

using namespace pp::sasl;

TEST_CASE("-PLUS is offered and taken only where there is a channel to bind to", "[sasl]") {
    CHECK(offered_mechanisms("", false) == "PLAIN LOGIN SCRAM-SHA-256");
    CHECK(offered_mechanisms("AUTH=", true) == "AUTH=PLAIN AUTH=LOGIN AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS");
    CHECK(find_mechanism("scram-sha-256", false) == mechanism::scram_sha_256);
    CHECK(find_mechanism("SCRAM-SHA-256-PLUS", true) == mechanism::scram_sha_256_plus);
    CHECK_FALSE(find_mechanism("SCRAM-SHA-256-PLUS", false));
    CHECK_FALSE(find_mechanism("SCRAM-SHA-1", true));
    CHECK_FALSE(find_mechanism("", true));
}

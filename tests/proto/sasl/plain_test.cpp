#include "proto/sasl/plain.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace std::string_view_literals;

TEST_CASE("PLAIN: the examples of RFC 4616 section 4", "[sasl]") {
    const auto tim = sasl::parse_plain("\0tim\0tanstaaftanstaaf"sv);
    REQUIRE(tim);
    CHECK(tim->authorization_id.empty());
    CHECK(tim->user == "tim");
    CHECK(tim->password == "tanstaaftanstaaf");
    CHECK(sasl::acts_for_itself(*tim));

    const auto proxy = sasl::parse_plain("Ursel\0Kurt\0xipj3plmq"sv);
    REQUIRE(proxy);
    CHECK(proxy->authorization_id == "Ursel");
    CHECK_FALSE(sasl::acts_for_itself(*proxy));
    CHECK(sasl::acts_for_itself(*sasl::parse_plain("tim\0tim\0secret"sv)));
}

TEST_CASE("PLAIN: a message cut anywhere before the password is refused", "[sasl]") {
    const auto whole = "ann\0ann@home\0correct horse"sv;
    const auto password_at = whole.rfind('\0') + 1;
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        INFO("cut after byte " << cut);
        CHECK(sasl::parse_plain(whole.substr(0, cut)).has_value() == (cut > password_at));
    }
}

TEST_CASE("PLAIN: what is no credentials", "[sasl]") {
    CHECK_FALSE(sasl::parse_plain(""sv));
    CHECK_FALSE(sasl::parse_plain("\0\0"sv));
    CHECK_FALSE(sasl::parse_plain("\0\0password"sv));
    CHECK_FALSE(sasl::parse_plain("\0user\0"sv));
    CHECK_FALSE(sasl::parse_plain("\0user\0pass\0more"sv));
    const std::string longest(sasl::plain_field_bytes_max, 'x');
    const std::string nul(1, '\0');
    CHECK(sasl::parse_plain(longest + nul + longest + nul + longest));
    CHECK_FALSE(sasl::parse_plain(longest + "x" + nul + longest + nul + longest));
    CHECK_FALSE(sasl::parse_plain(longest + nul + longest + "x" + nul + longest));
    CHECK_FALSE(sasl::parse_plain(longest + nul + longest + nul + longest + "x"));
}

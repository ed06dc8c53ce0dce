// Character references of HTML.
#include "proto/mail/html_reference.hpp"

#include <catch2/catch.hpp>

using pp::mail::html_character;

TEST_CASE("references of HTML mean characters", "[html]") {
    CHECK(html_character("amp") == "&");
    CHECK(html_character("auml") == "\u00e4");
    CHECK(html_character("Auml") == "\u00c4");   // the case counts
    CHECK(html_character("#228") == "\u00e4");
    CHECK(html_character("#xE4") == "\u00e4");
    CHECK(html_character("#X1f600") == "\U0001f600");
    CHECK(html_character("nbsp") == " ");
    CHECK(html_character("#160") == " ");
    CHECK(html_character("shy") == "");
}

TEST_CASE("what is no character is replaced, what is no reference means itself", "[html]") {
    for (const auto* none : {"#0", "#xd800", "#xdfff", "#1114112", "#x110000", "#99999999999999999999"})
        CHECK(html_character(none) == "\ufffd");
    for (const auto* unknown : {"", "#", "#x", "#-1", "#12a", "#xg", "AUML", "amp ", "nosuch"})
        CHECK_FALSE(html_character(unknown).has_value());
    CHECK(html_character("#x10ffff") == "\U0010ffff");   // the last one there is
}

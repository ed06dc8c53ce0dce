// Replies on the wire, and xtext.
#include "proto/smtp/reply.hpp"
#include "proto/smtp/xtext.hpp"

#include <catch2/catch.hpp>

using pp::smtp::wire_form;

TEST_CASE("a reply has its status code on every line") {   // RFC 2034 section 4
    CHECK(wire_form({250, "2.1.5", "ok"}) == "250 2.1.5 ok\r\n");
    CHECK(wire_form({354, "", "go"}) == "354 go\r\n");
    CHECK(wire_form({550, "5.1.1", "a\nb\nc"}) == "550-5.1.1 a\r\n550-5.1.1 b\r\n550 5.1.1 c\r\n");
    CHECK(wire_form({250, "", ""}) == "250 \r\n");
}

TEST_CASE("no text can forge a line of its own") {
    CHECK(wire_form({550, "5.0.0", "no\r250 yes\x7f\x01"}) == "550 5.0.0 no 250 yes  \r\n");
    CHECK(wire_form({550, "5.0.0\r\n250", "no"}) == "550 5.0.0  250 no\r\n");
}

TEST_CASE("long lines are folded at blanks, never inside a character") {   // RFC 5321 section 4.5.3.1.5
    std::string words, solid, wide;
    for (int i = 0; i < 300; ++i) words += "word ";
    for (int i = 0; i < 1500; ++i) solid += 'x';
    for (int i = 0; i < 700; ++i) wide += "\xc3\xa4";
    for (const std::string& text : {words, solid, wide}) {
        const auto wire = wire_form({550, "5.7.1", text});
        std::string joined;
        for (std::size_t at = 0; at < wire.size();) {
            const auto end = wire.find("\r\n", at) + 2;
            REQUIRE(end - at <= 512);
            const auto line = wire.substr(at, end - at - 2);
            REQUIRE(line.substr(0, 3) == "550");
            REQUIRE(line[3] == (end == wire.size() ? ' ' : '-'));
            REQUIRE((static_cast<unsigned char>(line[10]) & 0xc0) != 0x80);
            joined += line.substr(10);
            at = end;
        }
        CHECK(joined == text);
    }
}

TEST_CASE("xtext is decoded, and what is none refused") {   // RFC 3461 section 4
    using pp::smtp::decode_xtext;
    CHECK(decode_xtext("a+2Bb+3Dc+20d") == "a+b=c d");
    CHECK(decode_xtext("+2b") == "+");
    CHECK(decode_xtext("") == "");
    for (const char* bad : {"+", "+2", "a+2", "+GG", "a b", "a=b", "+0A", "+0D", "+00", "+7F", "\t"}) {
        INFO(bad);
        CHECK_FALSE(decode_xtext(bad));
    }
    CHECK(decode_xtext("weird+20+2B+3D~+20text") == "weird +=~ text");
}

// Limits of APPEND that a dialogue cannot show well (RFC 3502, RFC 4469).
#include "proto/imap/limits.hpp"
#include "tests/proto/imap/player.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;
using namespace pp::imap::test;

namespace {
std::string after(std::string_view commands) {
    player one({});
    one.feed("x LOGIN ann secret\r\n");
    one.take_output();
    one.feed(commands);
    return one.take_output();
}
}  // namespace

TEST_CASE("one APPEND takes appended_mails_max mails", "[imap][append]") {
    std::string mails;
    for (std::size_t i = 0; i < appended_mails_max; ++i) mails += " {1+}\r\nx";
    CHECK(after("a APPEND Sent" + mails + "\r\n").starts_with("a OK [APPENDUID 1005 1:256]"));
    CHECK(after("a APPEND Sent" + mails + " {1+}\r\nx\r\nb STATUS Sent (MESSAGES)\r\n") ==
          "a NO [LIMIT] Too many mails in one command\r\n* STATUS Sent (MESSAGES 0)\r\nb OK STATUS completed\r\n");
}

TEST_CASE("what stands between the mails of one APPEND is bounded as one command", "[imap][append]") {
    std::string mails, between = " (" + std::string(252, 'k') + ") {1+}\r\nx";
    for (std::size_t i = 0; i < appended_mails_max - 2; ++i) mails += between;
    CHECK(after("a APPEND Sent {1+}\r\nx" + mails + "\r\n").starts_with("* BYE A line is too long"));
}

TEST_CASE("literal8 may carry NUL, also in CATENATE with UTF8", "[imap][append]") {   // RFC 3516 section 4.4, RFC 6855
    using namespace std::string_literals;
    CHECK(after("a APPEND Sent ~{3+}\r\na\0b\r\n"s).starts_with("a OK"));
    CHECK(after("a APPEND Sent {3+}\r\na\0b {1+}\r\nx\r\nb NOOP\r\n"s) ==
          "a NO [CANNOT] A mail with NUL needs a binary literal\r\nb OK NOOP completed\r\n");
    CHECK(after("a APPEND Sent CATENATE (TEXT {3+}\r\na\0b)\r\n"s).starts_with("a NO [CANNOT]"));
    CHECK(after("e ENABLE UTF8=ACCEPT\r\na APPEND Sent CATENATE (UTF8 (~{3+}\r\na\0b))\r\n"s).find("a OK") !=
          std::string::npos);
}

TEST_CASE("a URL of CATENATE is bounded", "[imap][append]") {
    const std::string longest(url_bytes_max, 'x');
    CHECK(after("a APPEND Sent CATENATE (URL \"" + longest + "\")\r\n").starts_with("a NO [BADURL "));
    CHECK(after("a APPEND Sent CATENATE (URL \"" + longest + "x\")\r\n").starts_with("a BAD A URL is too long"));
    CHECK(after("a APPEND Sent CATENATE (URL {" + std::to_string(url_bytes_max + 1) + "+}\r\n" + longest +
                "x)\r\nb NOOP\r\n") == "a BAD An argument is missing\r\nb OK NOOP completed\r\n");
}

#include "proto/imap/grammar/response.hpp"

#include "proto/imap/grammar/uid_list.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;
using namespace std::string_view_literals;

TEST_CASE("strings are quoted when they may be", "[imap][response]") {
    CHECK(string_text("") == "\"\"");
    CHECK(string_text("a \"b\" \\") == R"("a \"b\" \\")");
    CHECK(string_text("two\r\nlines") == "{10}\r\ntwo\r\nlines");
    CHECK(string_text("\xc3\xa4") == "{2}\r\n\xc3\xa4");
    CHECK(string_text("\xc3\xa4", true) == "\"\xc3\xa4\"");
    CHECK(string_text("\xc3", true) == "{1}\r\n\xc3");
    CHECK(string_text("a\0b"sv) == std::string("{3}\r\na\0b", 8));
    CHECK(string_text(std::string(2000, 'x')).starts_with("{2000}\r\n"));
    CHECK(astring_text("INBOX") == "INBOX");
    CHECK(astring_text("two words") == "\"two words\"");
    CHECK(astring_text("nil") == "\"nil\"");
    CHECK(astring_text("") == "\"\"");
    CHECK(astring_text("a%") == "\"a%\"");
}

TEST_CASE("no text of ours ends a line early", "[imap][response]") {
    CHECK(line_text("a\r\n* BYE") == "a  * BYE");
    CHECK(line_text("") == "Done");
}

TEST_CASE("flags", "[imap][response]") {
    mail::flags flags;
    CHECK(flag_list_text(flags) == "()");
    CHECK(flag_list_text(flags, true) == "(\\Recent)");
    flags.system = mail::seen | mail::draft;
    flags.add("$MDNSent");
    CHECK(flag_list_text(flags) == "(\\Seen \\Draft $MDNSent)");
}

TEST_CASE("the sets of COPYUID keep their order", "[imap][response]") {   // RFC 4315 section 3
    CHECK(uid_list_text({}) == "");
    CHECK(uid_list_text({304, 319, 320}) == "304,319:320");
    CHECK(uid_list_text({3, 1, 2, 9}) == "3,1:2,9");
}

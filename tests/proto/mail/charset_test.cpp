// Charsets, encoded words, transfer encodings, modified UTF-7, case folding.
#include "proto/mail/charset.hpp"

#include <catch2/catch.hpp>

using namespace pp::mail;
using namespace std::string_literals;

namespace {

// The text must come out the same whatever the pieces.
std::string streamed(std::string_view encoded, std::string_view encoding, std::string_view charset) {
    const auto run = [&](std::size_t cut) {
        text_decoder decoder(encoding, charset);
        auto out = decoder.update(encoded.substr(0, cut));
        out += decoder.update(encoded.substr(cut));
        return out + decoder.finish();
    };
    const auto whole = run(encoded.size());
    for (std::size_t cut = 0; cut < encoded.size(); ++cut) {
        INFO("cut after byte " << cut);
        REQUIRE(run(cut) == whole);
    }
    return whole;
}

}  // namespace

TEST_CASE("charsets become UTF-8") {
    CHECK(to_utf8("caf\xe9", "ISO-8859-1").value() == "caf\xc3\xa9");
    CHECK(to_utf8("\x80", "windows-1252").value() == "\xe2\x82\xac");
    CHECK(to_utf8("\x1b$B%F%9%H\x1b(B", "iso-2022-jp").value() == "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88");
    CHECK(to_utf8("\xce\xc4\xbc\xfe", "gb2312").value() == "\xe6\x96\x87\xe4\xbb\xb6");
    CHECK(to_utf8("a\xff", "us-ascii").value() == "a\xef\xbf\xbd");
    CHECK(to_utf8("a\xff\xc3", "UTF-8").value() == "a\xef\xbf\xbd\xef\xbf\xbd");
    CHECK(to_utf8("\xe2\x82", "utf8").value() == "\xef\xbf\xbd");
    CHECK(to_utf8("\xe2\x82x", "utf8").value() == "\xef\xbf\xbdx");
    CHECK(to_utf8("\x3d\xd8\x00\xde"s, "utf-16le").value() == "\xf0\x9f\x98\x80");
    for (const auto* unknown : {"", "x-nothing", "../../etc/passwd", "utf-8,swaplfnl", "ibm-37,swaplfnl"})
        CHECK(to_utf8("a", unknown).error() == error_code(errc::unknown_charset));
    CHECK(to_utf8("a", std::string(1000, 'a')).error() == error_code(errc::unknown_charset));
}

TEST_CASE("UTF-8 is checked") {
    CHECK(is_valid_utf8(""));
    CHECK(is_valid_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
    for (const auto* bad : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                            "\xf8\x88\x80\x80\x80"})
        CHECK_FALSE(is_valid_utf8(bad));
}

TEST_CASE("encoded words of RFC 2047") {
    CHECK(decode_header_text("plain") == "plain");
    CHECK(decode_header_text("=?iso-8859-1?q?this=20is=20some=20text?=") == "this is some text");
    CHECK(decode_header_text("=?ISO-8859-1?Q?a?= b") == "a b");                          // RFC 2047 section 8
    CHECK(decode_header_text("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=") == "ab");
    CHECK(decode_header_text("=?ISO-8859-1?Q?a?=   \r\n =?ISO-8859-1?Q?b?=") == "ab");
    CHECK(decode_header_text("=?ISO-8859-1?Q?a_b?=") == "a b");
    CHECK(decode_header_text("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=") == "a b");
    CHECK(decode_header_text("=?utf-8?B?4oK=?= =?utf-8?B?rA==?=") == "\xe2\x82\xac");    // cut inside a character
    CHECK(decode_header_text("=?utf-8*en?q?x?=") == "x");
    CHECK(decode_header_text("=?x-none?q?x?= y") == "=?x-none?q?x?= y");
    CHECK(decode_header_text("caf\xc3\xa9") == "caf\xc3\xa9");
    CHECK(decode_header_text("caf\xe9") == "caf\xc3\xa9");
    for (const auto* broken : {"=?", "=?a", "=?a?", "=?a?q", "=?a?q?", "=?a?q?x", "=?utf-8?x?y?=", "=??q?x?=",
                               "=?=?=?="})
        CHECK(decode_header_text(broken) == broken);
    CHECK(decode_header_text("=?utf-8?q?\?=").empty());
}

TEST_CASE("transfer encodings") {
    CHECK(decode_base64_lenient("aGVsbG8=") == "hello");
    CHECK(decode_base64_lenient("aGVs\r\nbG8") == "hello");
    CHECK(decode_base64_lenient("aA==aQ==") == "hi");
    CHECK(decode_base64_lenient("a").empty());
    CHECK(decode_base64_lenient("*a*G*k*") == "hi");
    CHECK(decode_quoted_printable("a=3Db=\r\nc \t\r\nd=  \r\ne") == "a=bc\r\nde");
    CHECK(decode_quoted_printable("=e9=E9") == "\xe9\xe9");
    CHECK(decode_quoted_printable("=zz=4") == "=zz=4");
    CHECK(decode_quoted_printable("end=") == "end");
    CHECK(decode_quoted_printable("a  b ") == "a  b");
    CHECK(decode_quoted_printable("=\nx=\ny") == "xy");
}

TEST_CASE("text is decoded in any pieces") {
    CHECK(streamed("Y2Fm6Q==", "BASE64", "iso-8859-1") == "caf\xc3\xa9");
    CHECK(streamed("caf=C3=A9 =E2=82=AC= \r\n!  \r\n", "Quoted-Printable", "utf-8") == "caf\xc3\xa9 \xe2\x82\xac!\r\n");
    CHECK(streamed("a\xe2\x82\xac\xf0\x9f\x98\x80\xed\xa0\x80\xf0\x9f", "8bit", "utf-8") ==
          "a\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    CHECK(streamed("\x1b$B%F%9%H\x1b(B", "7bit", "iso-2022-jp") == "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88");
    CHECK(streamed("\xff\x01", "x-what", "x-none") == "\xff\x01");
    const auto emojis = "\x3d\xd8\x00\xde"s;
    std::string many;
    for (int i = 0; i < 3000; ++i) many += emojis;
    CHECK(to_utf8(many, "utf-16le").value().size() == 3000 * 4);
}

TEST_CASE("modified UTF-7 of mailbox names") {
    const std::pair<std::string, std::string> names[] = {
        {"", ""}, {"INBOX", "INBOX"}, {"a&b", "a&-b"}, {"&&", "&-&-"},
        {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
         "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
        {"Entw\xc3\xbcrfe", "Entw&APw-rfe"}, {"\xf0\x9f\x98\x80", "&2D3eAA-"}, {"\xc3\xa9&", "&AOk-&-"}};
    for (const auto& [utf8, encoded] : names) {
        CHECK(to_modified_utf7(utf8) == encoded);
        CHECK(from_modified_utf7(encoded).value() == utf8);
    }
    for (const auto* bad : {"&", "&U,BTFw", "&AGE-", "\xc3\xa9", "a\r\n", "&AO-", "&AOm-", "&2D0-", "&3gA-", "&AO/-",
                            "&AOk-&AOk-", "&AAA-", "&A-", "&AOkA-"})
        CHECK(from_modified_utf7(bad).error() == error_code(errc::bad_encoding));
}

TEST_CASE("Normalization Form C") {
    CHECK(normal_form("INBOX/a b").size() == 9);
    CHECK(normal_form("Cafe\xcc\x81/e") == "Caf\xc3\xa9/e");
    CHECK(normal_form("Caf\xc3\xa9") == "Caf\xc3\xa9");
    CHECK(normal_form("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab") == "\xed\x95\x9c");   // jamo: one syllable
    CHECK(normal_form("\xef\xac\x81") == "\xef\xac\x81");                             // no compatibility folding
}

TEST_CASE("names in letters of ASCII") {
    CHECK(ascii_spelling("Alice B. 2") == "Alice B. 2");
    CHECK(ascii_spelling("J\xc3\xbcrgen Wei\xc3\x9f") == "Jurgen Weiss");
    CHECK(ascii_spelling("Ju\xcc\x88rgen") == "Jurgen");                       // u and a diaeresis of its own
    CHECK(ascii_spelling("\xc5\x81ukasz S\xc3\xb8rensen") == "Lukasz Sorensen");
    CHECK(ascii_spelling("\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd") == "Ivan");
    CHECK(ascii_spelling("\xce\x9d\xce\xaf\xce\xba\xce\xbf\xcf\x82") == "Nikos");
    CHECK(ascii_spelling("\xe7\x94\xb0\xe4\xb8\xad") == "\xe7\x94\xb0\xe4\xb8\xad");   // how it is read is not known
}

TEST_CASE("case folding of RFC 5051") {
    CHECK(fold_case("Hello") == fold_case("hELLO"));
    CHECK(fold_case("\xc3\x89t\xc3\xa9") == fold_case("e\xcc\x81T\xc3\x89"));
    CHECK(fold_case("\xd0\x9f\xd1\x80\xd0\xb8") == fold_case("\xd0\xbf\xd0\xa0\xd0\x98"));
    CHECK(fold_case("\xef\xac\x81n") == fold_case("FIN"));
    CHECK(fold_case("a") != fold_case("b"));
    CHECK(fold_case("\xff") == "\xef\xbf\xbd");
    std::string many;
    for (int i = 0; i < 5000; ++i) many += "\xe2\x82\xac";
    CHECK(fold_case(many) == many);
    CHECK(equal_ascii_case("aB", "Ab"));
    CHECK_FALSE(equal_ascii_case("a", "ab"));
}

// The MIME index: ranges, the same index whatever the pieces, part numbers, the stored form.
#include "proto/mail/message_index.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace pp::mail;

namespace {

message_index in_pieces(std::string_view mail, std::span<const std::size_t> cuts) {
    message_indexer indexer;
    std::size_t at = 0;
    for (const auto cut : cuts) {
        indexer.update(mail.substr(at, cut - at));
        at = cut;
    }
    indexer.update(mail.substr(at));
    return indexer.finish();
}

const message_part* part_at(const message_index& index, std::vector<std::uint32_t> number) {
    return find_part(index, number);
}

std::string body(std::string_view mail, const message_part* p) {
    return p ? std::string(mail.substr(p->body_offset, p->body_bytes)) : "no such part";
}
std::string body(std::string_view mail, std::vector<std::uint32_t> number) {
    const auto index = index_message(mail);
    return body(mail, part_at(index, std::move(number)));
}

constexpr std::string_view two_parts =
    "From: a@b\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
    "--b\r\n\r\none\r\ntwo\r\n"
    "--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n\r\n--b--\r\nepilogue\r\n";

}  // namespace

TEST_CASE("a mail without MIME is one text part") {
    const std::string_view mail = "From: a@b\r\nSubject: x\r\n\r\nhello\r\nworld\r\n";
    const auto index = index_message(mail);
    REQUIRE(index.parts.size() == 1);
    const auto& p = index.parts[0];
    CHECK(index.size_bytes == mail.size());
    CHECK(p.header_offset == 0);
    CHECK(p.header_bytes == 25);
    CHECK(p.body_offset == 25);
    CHECK(body(mail, &p) == "hello\r\nworld\r\n");
    CHECK(p.body_lines == 2);
    CHECK(p.type == "text");
    CHECK(imap_body_structure(index, false) ==
          R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 14 2))");
    CHECK(imap_envelope(index.envelopes[0]) ==
          R"((NIL "x" ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL))");
    CHECK(part_at(index, {}) == &p);
    CHECK(part_at(index, {1}) == &p);
    CHECK(part_at(index, {0}) == nullptr);
    CHECK(part_at(index, {2}) == nullptr);
    CHECK(part_at(index, {1, 1}) == nullptr);
}

TEST_CASE("the line end before a boundary belongs to it") {
    CHECK(body(two_parts, {1}) == "one\r\ntwo");
    CHECK(body(two_parts, {2}) == "<p>\r\n");
    CHECK(imap_body_structure(index_message(two_parts), false) ==
          R"((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 8 1))"
          R"(("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 5 1) "mixed"))");
}

TEST_CASE("the same bytes in other pieces give the same index") {
    const auto whole = index_message(two_parts);
    for (std::size_t a = 0; a <= two_parts.size(); ++a)
        for (std::size_t b = a; b <= two_parts.size(); b += 7) {
            INFO("cut after bytes " << a << " and " << b);
            const std::size_t cuts[] = {a, b};
            REQUIRE(in_pieces(two_parts, cuts) == whole);
        }
}

TEST_CASE("an empty mail has one empty part") {
    const auto index = index_message("");
    REQUIRE(index.parts.size() == 1);
    CHECK(imap_body_structure(index, true) ==
          R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL))");
    CHECK(message_index::decode(index.encode()).value() == index);
}

TEST_CASE("numbers step into the mail inside message/rfc822") {
    const std::string_view mail =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\n\r\ntext\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nplain inside\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
        "--c\r\n\r\nc one\r\n--c\r\n\r\nc two\r\n--c--\r\n"
        "\r\n--b--\r\n";
    const auto index = index_message(mail);
    CHECK(body(mail, part_at(index, {1})) == "text");
    CHECK(body(mail, part_at(index, {2})) == "Subject: in\r\n\r\nplain inside");
    CHECK(body(mail, part_at(index, {2, 1})) == "plain inside");
    CHECK(part_at(index, {2, 2}) == nullptr);
    CHECK(part_at(index, {2, 1, 1}) == nullptr);
    CHECK(body(mail, part_at(index, {3, 1})) == "c one");
    CHECK(body(mail, part_at(index, {3, 2})) == "c two");
    CHECK(part_at(index, {3, 3}) == nullptr);
    CHECK(part_at(index, {4}) == nullptr);
    REQUIRE(index.envelopes.size() == 3);
    CHECK(index.envelopes[1].subject == "in");
    CHECK(message_index::decode(index.encode()).value() == index);
}

TEST_CASE("a stored index that was damaged never becomes a wrong one") {
    const auto index = index_message(two_parts);
    const auto stored = index.encode();
    CHECK(message_index::decode(stored).value() == index);
    auto own = index.envelopes.front();
    const auto short_of = decode_own_envelope(stored);
    REQUIRE(short_of.has_value());
    if (own.sender == own.from) own.sender.clear();
    if (own.reply_to == own.from) own.reply_to.clear();
    CHECK(*short_of == own);
    for (std::size_t n = 0; n < stored.size(); ++n)
        CHECK(message_index::decode(std::string_view(stored).substr(0, n)).error() == error_code(errc::bad_index));
    CHECK(message_index::decode(stored + "x").error() == error_code(errc::bad_index));
    for (std::size_t n = 0; n < stored.size(); ++n)
        for (int bit = 0; bit < 8; ++bit) {
            auto damaged = stored;
            damaged[n] = static_cast<char>(damaged[n] ^ 1 << bit);
            static_cast<void>(decode_own_envelope(damaged));   // must not overrun either
            const auto decoded = message_index::decode(damaged);
            if (!decoded) continue;
            imap_body_structure(*decoded, true);   // must not overrun
            for (const auto& p : decoded->parts) REQUIRE(p.body_offset + p.body_bytes <= decoded->size_bytes);
        }
}

TEST_CASE("strings are quoted where that is safe") {
    CHECK(imap_string("") == "\"\"");
    CHECK(imap_string("a\"b\\c") == R"("a\"b\\c")");
    CHECK(imap_string("a\r\nb") == "{4}\r\na\r\nb");
    CHECK(imap_string("\xc3\xa9") == "{2}\r\n\xc3\xa9");
    CHECK(imap_string("\xc3\xa9", true) == "\"\xc3\xa9\"");
    CHECK(imap_string("\xc3", true) == "{1}\r\n\xc3");
    CHECK(imap_string(std::string_view("a\0b", 3)) == "{3}\r\na?b");
}

TEST_CASE("subsets and values of a header") {
    const std::string_view header = "From: a\r\nSubject: one\r\n two\r\nfrom : b\r\nno colon\r\nX: \r\n\r\n";
    const std::vector<std::string> names{"FROM", "x"};
    CHECK(filter_header_fields(header, names, false) == "From: a\r\nfrom : b\r\nX: \r\n\r\n");
    CHECK(filter_header_fields(header, names, true) == "Subject: one\r\n two\r\nno colon\r\n\r\n");
    CHECK(filter_header_fields("", names, false).empty());
    CHECK(filter_header_fields("From: a", names, false) == "From: a\r\n");
    CHECK(filter_header_fields("From: a\n\n", names, false) == "From: a\n\n");
    CHECK(header_values(header, "subject") == std::vector<std::string>{"one two"});
    CHECK(header_values(header, "From") == std::vector<std::string>{"a", "b"});
    CHECK(unfold(" a\r\n\tb\n c \r\n") == "a\tb c");
    CHECK(unfold("a\rb") == "a\rb");
}

// Sections to byte ranges (RFC 9051 section 6.4.5.1): the example of the RFC and its edges, over a mail whose parts can
// be found by their text.
#include "proto/imap/fetch/fetch_items.hpp"
#include "proto/imap/fetch/fetch_section.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;

namespace {

// The complex message of RFC 9051 section 6.4.5.1, in small.
const std::string inner_mail =
    "Subject: inner\r\n"
    "Content-Type: multipart/mixed; boundary=in\r\n"
    "\r\n"
    "--in\r\n"
    "\r\n"
    "three-one\r\n"
    "--in\r\n"
    "Content-Type: application/octet-stream\r\n"
    "\r\n"
    "three-two\r\n"
    "--in--\r\n";
const std::string simple_mail = "Subject: simple\r\n\r\nfour-two-one";
const std::string mail_text =
    "Subject: outer\r\n"
    "Content-Type: multipart/mixed; boundary=out\r\n"
    "\r\n"
    "preamble\r\n"
    "--out\r\n"
    "Content-Type: text/plain\r\n"
    "\r\n"
    "one\r\n"
    "--out\r\n"
    "Content-Type: application/octet-stream\r\n"
    "\r\n"
    "\r\n"
    "--out\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n" +
    inner_mail +
    "\r\n--out\r\n"
    "Content-Type: multipart/mixed; boundary=four\r\n"
    "\r\n"
    "--four\r\n"
    "Content-Type: image/gif\r\n"
    "\r\n"
    "GIF\r\n"
    "--four\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n" +
    simple_mail +
    "\r\n--four--\r\n"
    "--out--\r\n";

std::optional<std::string> cut(std::string_view spec) {
    const auto with_bracket = std::string(spec) + "]";
    parser args(with_bracket);
    const auto section = parse_section(args);
    REQUIRE_FALSE(args.failed());
    REQUIRE(args.at_end());
    REQUIRE(section.text() == spec);
    static const auto index = mail::index_message(mail_text);
    const auto range = locate(section, index);
    if (!range) return std::nullopt;
    REQUIRE(range->offset + range->length <= mail_text.size());
    return mail_text.substr(range->offset, range->length);
}

}  // namespace

TEST_CASE("sections of the mail itself", "[imap][fetch]") {
    const auto head = mail_text.find("\r\n\r\n") + 4;
    CHECK(cut("") == mail_text);
    CHECK(cut("HEADER") == mail_text.substr(0, head));
    CHECK(cut("TEXT") == mail_text.substr(head));
    CHECK(*cut("HEADER") + *cut("TEXT") == mail_text);
    CHECK(cut("HEADER.FIELDS (SUBJECT)") == mail_text.substr(0, head));   // filtered by the caller
}

TEST_CASE("numbered sections", "[imap][fetch]") {
    CHECK(cut("1") == "one");
    CHECK(cut("1.MIME") == "Content-Type: text/plain\r\n\r\n");
    CHECK(cut("2") == "");
    CHECK(cut("3") == inner_mail);
    CHECK(cut("3.MIME") == "Content-Type: message/rfc822\r\n\r\n");
    CHECK(cut("3.HEADER") == inner_mail.substr(0, inner_mail.find("\r\n\r\n") + 4));
    CHECK(cut("3.TEXT") == inner_mail.substr(inner_mail.find("\r\n\r\n") + 4));
    CHECK(cut("3.1") == "three-one");
    CHECK(cut("3.1.MIME") == "\r\n");
    CHECK(cut("3.2") == "three-two");
    CHECK(cut("3.2.MIME") == "Content-Type: application/octet-stream\r\n\r\n");
    CHECK(cut("4.1") == "GIF");
    CHECK(cut("4.1.MIME") == "Content-Type: image/gif\r\n\r\n");
    CHECK(cut("4.2") == simple_mail);
    CHECK(cut("4.2.HEADER") == "Subject: simple\r\n\r\n");
    CHECK(cut("4.2.TEXT") == "four-two-one");
    CHECK(cut("4.2.1") == "four-two-one");
    CHECK(cut("4.2.1.MIME") == "Subject: simple\r\n\r\n");
}

TEST_CASE("sections that are not there", "[imap][fetch]") {
    for (const char* spec : {"5", "1.1.1", "3.3", "4.3", "4.2.2", "1.HEADER", "1.TEXT", "4.HEADER", "4.1.TEXT",
                             "3.1.HEADER", "1.HEADER.FIELDS (A)", "9.MIME"}) {
        INFO(spec);
        CHECK_FALSE(cut(spec).has_value());
    }
}

TEST_CASE("a mail without MIME has part 1 only", "[imap][fetch]") {
    const std::string text = "A: b\r\n\r\nbody";
    const auto index = mail::index_message(text);
    fetch_section one;
    one.part = {1};
    CHECK(locate(one, index) == byte_range{8, 4});
    one.kind = section_kind::mime;
    CHECK(locate(one, index) == byte_range{0, 8});
    one.kind = section_kind::text;
    CHECK_FALSE(locate(one, index));
    one.kind = section_kind::whole;
    one.part = {2};
    CHECK_FALSE(locate(one, index));
}

TEST_CASE("partial ranges are cut at the end", "[imap][fetch]") {
    CHECK(clip({10, 5}, std::nullopt) == byte_range{10, 5});
    for (std::uint64_t offset = 0; offset < 8; ++offset)
        for (std::uint64_t count = 1; count < 8; ++count) {
            const auto got = clip({10, 5}, fetch_partial{offset, count});
            CHECK(got.length == (offset >= 5 ? 0 : std::min(count, 5 - offset)));
            if (got.length > 0) CHECK(got.offset == 10 + offset);
        }
    CHECK(clip({10, 5}, fetch_partial{INT64_MAX, INT64_MAX}).length == 0);
    CHECK(clip({10, 5}, fetch_partial{1, INT64_MAX}) == byte_range{11, 4});
}

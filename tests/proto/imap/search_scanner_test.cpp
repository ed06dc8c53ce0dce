// BODY and TEXT keys against whole mails (RFC 9051 section 6.4.4), the mail given in pieces of every size.
#include "proto/imap/search/search_scanner.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;

namespace {

struct no_sets : search_sets {
    std::uint32_t last_number() const override { return 1; }
    std::uint32_t last_uid() const override { return 1; }
    const mail::uid_set& saved_result() const override { return none; }
    mail::uid_set none;
};

const std::string mail_text =
    "Subject: =?UTF-8?B?R3LDvMOfZQ==?= from\r\n far\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n"
    "\r\n"
    "preamble-words\r\n"
    "--b\r\n"
    "Content-Type: text/plain; charset=ISO-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "der gr=F6=\r\n=DFte Fisch\r\n"
    "--b\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "X-Part: part-header\r\n"
    "\r\n"
    "PHA+SGVsbG8gPGI+YjwvYj5vbGQgJmFtcDsgd2lkZTwvcD4=\r\n"   // <p>Hello <b>b</b>old &amp; wide</p>
    "--b\r\n"
    "Content-Type: application/octet-stream\r\n"
    "\r\n"
    "binary-words\r\n"
    "--b\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Subject: inner-subject\r\n"
    "\r\n"
    "inner-text\r\n"
    "--b--\r\n";

bool matches(const std::string& criteria, std::size_t piece_bytes) {
    parser args(criteria);
    const auto program = parse_search(args, no_sets());
    REQUIRE_FALSE(args.failed());
    static const auto index = std::make_shared<const mail::message_index>(mail::index_message(mail_text));
    search_facts known;
    search_scanner scanner(program, open_text_keys(program, known), index);
    std::uint64_t last = 0;
    while (const auto wanted = scanner.wants()) {
        REQUIRE(wanted->length > 0);
        REQUIRE(wanted->offset >= last);
        REQUIRE(wanted->offset + wanted->length <= mail_text.size());
        last = wanted->offset;
        const auto count = std::min<std::uint64_t>(wanted->length, piece_bytes);
        scanner.give(std::string_view(mail_text).substr(wanted->offset, count));
    }
    const auto texts = scanner.result();
    known.texts = &texts;
    const auto value = evaluate(program, known);
    REQUIRE(value != truth::unknown);
    return value == truth::yes;
}

}  // namespace

TEST_CASE("many keys look at small pieces", "[imap][search]") {
    const std::string mail = "Subject: x\r\n\r\n" + std::string(1'000'000, 'a') + "b1499\r\n";
    const auto index = std::make_shared<const mail::message_index>(mail::index_message(mail));
    for (const std::size_t keys : {std::size_t(1), std::size_t(32), std::size_t(500)}) {
        std::string criteria;
        for (std::size_t i = 500 - keys; i < 500; ++i) criteria += " BODY ab" + std::to_string(1000 + i);
        parser args(criteria);
        const auto program = parse_search(args, no_sets());
        REQUIRE_FALSE(args.failed());
        search_facts known;
        search_scanner scanner(program, open_text_keys(program, known), index);
        std::size_t pieces = 0;
        for (; const auto wanted = scanner.wants(); ++pieces) {
            REQUIRE(wanted->length * keys <= 8 * 1024 * 1024);
            scanner.give(std::string_view(mail).substr(wanted->offset, wanted->length));
        }
        CHECK(pieces == (keys == 500 ? 60u : 4u));
        const auto texts = scanner.result();
        CHECK(std::count(texts.begin(), texts.end(), truth::yes) == 1);
    }
}

TEST_CASE("text is found decoded, in pieces of every size", "[imap][search]") {
    for (std::size_t piece = 1; piece < 90; ++piece) {
        INFO(piece);
        CHECK(matches(" BODY \"GR\u00d6\u00dfte fisch\"", piece));
        CHECK(matches(" BODY \"hello bold & wide\"", piece));   // reduced
        CHECK(matches(" BODY \"<b>B</b>old &amp;\"", piece));   // raw
        CHECK(matches(" BODY inner-text", piece));
        CHECK(matches(" TEXT inner-text", piece));
        CHECK(matches(" TEXT inner-subject", piece));
        CHECK(matches(" TEXT \"subject: gr\u00fc\u00dfe from far\"", piece));
        CHECK(matches(" TEXT part-header", piece));
        CHECK(matches(" NOT BODY part-header", piece));
        CHECK(matches(" BODY hello BODY fisch NOT TEXT nowhere", piece));
        CHECK(matches(" OR BODY nowhere TEXT far", piece));
        CHECK_FALSE(matches(" BODY inner-subject", piece));
        CHECK_FALSE(matches(" BODY \"gr\u00fc\u00dfe\"", piece));
        CHECK_FALSE(matches(" TEXT binary-words", piece));
        CHECK_FALSE(matches(" BODY preamble-words", piece));
        CHECK_FALSE(matches(" BODY PHA+SGVsbG8", piece));
        CHECK_FALSE(matches(" BODY \"Fisch<p>\"", piece));
    }
}

TEST_CASE("a scan ends as soon as all is found", "[imap][search]") {
    parser args(" BODY fisch");
    const auto program = parse_search(args, no_sets());
    const auto index = std::make_shared<const mail::message_index>(mail::index_message(mail_text));
    search_scanner scanner(program, {0}, index);
    int asked = 0;
    while (const auto wanted = scanner.wants()) {
        ++asked;
        scanner.give(std::string_view(mail_text).substr(wanted->offset, wanted->length));
    }
    CHECK(asked == 1);
    CHECK(scanner.result()[0] == truth::yes);
}

TEST_CASE("a header field without an end does not grow", "[imap][search]") {
    std::string text = "X: ";
    text.append(300 * 1024, 'a');
    text += " needle\r\n\r\n";
    parser args(" TEXT needle");
    const auto program = parse_search(args, no_sets());
    search_scanner scanner(program, {0}, std::make_shared<const mail::message_index>(mail::index_message(text)));
    while (const auto wanted = scanner.wants())
        scanner.give(std::string_view(text).substr(wanted->offset, wanted->length));
    CHECK(scanner.result()[0] == truth::yes);
}

#include "proto/imap/grammar/mail_url.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;

TEST_CASE("URLs of CATENATE", "[imap][url]") {   // RFC 4469 section 3, RFC 5092
    const auto url = parse_mail_url("/INBOX;UIDVALIDITY=785799047/;UID=113330/;section=1.5.9");
    REQUIRE(url);
    CHECK(url->mailbox == "INBOX");
    CHECK(url->uid_validity == 785799047u);
    CHECK(url->uid == 113330);
    CHECK(url->section.part == std::vector<std::uint32_t>{1, 5, 9});
    CHECK_FALSE(url->partial);

    const auto coded =
        parse_mail_url("/Entw%C3%bcrfe%3Balt/sub/;UID=1/;SECTION=1.HEADER.FIELDS%20(To%20Cc)/;PARTIAL=10.20");
    REQUIRE(coded);
    CHECK(coded->mailbox == "Entw\xc3\xbcrfe;alt/sub");
    CHECK_FALSE(coded->uid_validity);
    CHECK(coded->section.kind == section_kind::header_fields);
    CHECK(coded->section.fields == std::vector<std::string>{"TO", "CC"});
    CHECK(coded->partial == fetch_partial{10, 20});

    CHECK(parse_mail_url(";UID=7")->mailbox.empty());
    CHECK(parse_mail_url("/;UID=7/;PARTIAL=5")->partial == fetch_partial{5, UINT64_MAX});
    CHECK(parse_mail_url("inbox/;uid=7")->mailbox == "INBOX");
    CHECK(parse_mail_url("Cafe%CC%81/;uid=7")->mailbox == "Caf\xc3\xa9");
}

TEST_CASE("what is no such URL", "[imap][url]") {
    for (const auto* text : {"", "/", "INBOX", "/INBOX", "/INBOX/;UID=", "/INBOX/;UID=0", "/INBOX/;UID=4294967296",
                             "/INBOX/;UID=1x", "/INBOX;UIDVALIDITY=1;UID=1", "/INBOX;UIDVALIDITY=0/;UID=1",
                             "/INBOX;UIDVALIDITY=/;UID=1", "/INBOX;UID=1", "//host/INBOX/;UID=1",
                             "imap://host/INBOX/;UID=1", "/IN%4/;UID=1", "/IN%GG/;UID=1", "/IN%00BOX/;UID=1",
                             "/%FF/;UID=1", "/INBOX/;UID=1/;SECTION=", "/INBOX/;UID=1/;SECTION=SOUP",
                             "/INBOX/;UID=1/;SECTION=1]x", "/INBOX/;UID=1/;PARTIAL=1.0", "/INBOX/;UID=1/;PARTIAL=",
                             "/INBOX/;UID=1/;URLAUTH=anonymous", "/INBOX/;UID=1/;PARTIAL=1/;SECTION=1",
                             "/INBOX/;UID=1/", ";UIDVALIDITY=1/;UID=1"}) {
        INFO(text);
        CHECK_FALSE(parse_mail_url(text));
    }
}

// What is kept of a header for SEARCH, SORT and THREAD.
#include "proto/imap/search/search_fields.hpp"
#include "proto/imap/search/sort_order.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;

namespace {

std::shared_ptr<const search_fields> fields_of(const std::string& header) {
    return search_fields::of(mail::index_message(header + "\r\nbody\r\n"), {{1000, 0}, {2000, 0}, 77});
}
std::string value(const std::string& header, search_field f) { return std::string((*fields_of(header))[f]); }

// The numbers of mails 1, 2, ... in sorted order.
std::string sorted(const std::string& criteria, const std::vector<std::string>& headers) {
    parser args(criteria);
    const auto order = parse_sort_criteria(args);
    REQUIRE_FALSE(args.failed());
    sorter all(order);
    std::uint32_t number = 0;
    for (const auto& header : headers) {
        ++number;
        all.add({number, number, 0},
                *search_fields::of(mail::index_message(header + "\r\n" + std::string(100 - number, 'x')),
                                   {{1000 - number, 0}, {}, 1000 - number}));
    }
    std::string out;
    for (const auto& hit : all.sorted()) out += std::to_string(hit.number);
    return out;
}

}  // namespace

TEST_CASE("search fields are decoded and folded", "[imap][search][fields]") {
    const std::string header =
        "Date: Mon, 7 Feb 1994 21:52:25 -0800\r\n"
        "From: =?UTF-8?Q?J=C3=B6rg?= <Joerg@Example.com>, second@example.com\r\n"
        "To: friends: ann@example.com, \"Doe, John\" <jd@example.com>; , last@example.com\r\n"
        "Cc: plain@example.com\r\n"
        "Subject: Re: [list]\t=?iso-8859-1?q?caf=E9?=\r\n"
        "Message-ID: <Id@Example.com>\r\n"
        "References: <a@b>\r\n <c@d>\r\n";
    using f = search_field;
    CHECK(value(header, f::from) == "JO\u0308RG <JOERG@EXAMPLE.COM>, SECOND@EXAMPLE.COM");
    CHECK(value(header, f::from_mailbox) == "JOERG");
    CHECK(value(header, f::from_display) == "JO\u0308RG");
    CHECK(value(header, f::to) == "FRIENDS: ANN@EXAMPLE.COM, DOE, JOHN <JD@EXAMPLE.COM>;, LAST@EXAMPLE.COM");
    CHECK(value(header, f::to_mailbox) == "FRIENDS");
    CHECK(value(header, f::to_display) == "FRIENDS");
    CHECK(value(header, f::cc_mailbox) == "PLAIN");
    CHECK(value(header, f::subject) == "RE: [LIST]\tCAFE\u0301");
    CHECK(value(header, f::base_subject) == "CAFE\u0301");
    CHECK(value(header, f::message_id) == "<Id@Example.com>");
    CHECK(value(header, f::references) == "<a@b> <c@d>");
    const auto fields = fields_of(header);
    CHECK(fields->is_reply);
    CHECK(fields->sent->unix_seconds == 760686745);
    CHECK(fields->placement.size_bytes == 77);
    CHECK(fields->has(f::to));
    CHECK_FALSE(fields->has(f::bcc));
    CHECK_FALSE(fields->has(f::in_reply_to));
    CHECK(sent_date(*fields) == 760686745);
    CHECK(sent_date(*fields_of("Date: whenever\r\n")) == 1000);   // RFC 5256 section 2.2: INTERNALDATE instead
}

TEST_CASE("a mail without a header has fields all the same", "[imap][search][fields]") {
    const auto fields = search_fields::of(mail::index_message(""));
    for (int f = 0; f < static_cast<int>(search_field::count_); ++f) {
        CHECK((*fields)[static_cast<search_field>(f)].empty());
        CHECK_FALSE(fields->has(static_cast<search_field>(f)));
    }
}

TEST_CASE("the display value of an address", "[imap][sort][fields]") {   // RFC 5957 section 3
    using f = search_field;
    CHECK(value("From: Ann <a@b.c>\r\n", f::from_display) == "ANN");
    CHECK(value("From: a@b.c\r\n", f::from_display) == "A@B.C");
    CHECK(value("From: \"\" <a@b.c>\r\n", f::from_display) == "A@B.C");
    CHECK(value("To: b@c.d, Ann <a@b.c>\r\n", f::to_display) == "B@C.D");
    CHECK(value("X: y\r\n", f::from_display).empty());
}

TEST_CASE("sort orders", "[imap][sort]") {
    const std::vector<std::string> mails = {
        "From: Zoe <ann@x>\r\nTo: m@x\r\nCc: c@x\r\nSubject: Re: beta\r\nDate: Mon, 7 Feb 1994 10:00:00 +0000\r\n",
        "From: Abe <bob@x>\r\nTo: k@x\r\nSubject: alpha\r\nDate: Mon, 7 Feb 1994 12:00:00 +0400\r\n",
        "From: carl@x\r\nTo: \xc3\x84rger <l@x>\r\nCc: b@x\r\nSubject: BETA\r\nDate: Mon, 7 Feb 1994 09:00:00 "
        "+0000\r\n",
    };
    CHECK(sorted("(ARRIVAL)", mails) == "321");
    CHECK(sorted("(REVERSE ARRIVAL)", mails) == "123");
    CHECK(sorted("(SIZE)", mails) == "321");
    CHECK(sorted("(DATE)", mails) == "231");
    CHECK(sorted("(FROM)", mails) == "123");
    CHECK(sorted("(TO)", mails) == "231");
    CHECK(sorted("(CC)", mails) == "231");
    CHECK(sorted("(SUBJECT)", mails) == "213");
    CHECK(sorted("(SUBJECT DATE)", mails) == "231");
    CHECK(sorted("(REVERSE SUBJECT)", mails) == "132");   // equal ones stay in mailbox order
    CHECK(sorted("(reverse subject reverse date)", mails) == "132");
    CHECK(sorted("(DISPLAYFROM)", mails) == "231");
    CHECK(sorted("(DISPLAYTO)", mails) == "321");
    CHECK(sorted("(REVERSE DISPLAYTO SUBJECT)", mails) == "123");
}

TEST_CASE("sort criteria that are none", "[imap][sort]") {
    for (const char* text : {"", "()", "( DATE)", "(DATE )", "(DATE", "DATE", "(REVERSE)", "(REVERSE REVERSE DATE)",
                             "(DATES)", "(DATE  SIZE)", "(REVERSEDATE)"}) {
        INFO(text);
        parser args(text);
        parse_sort_criteria(args);
        CHECK(args.failed());
    }
    std::string many = "(DATE";
    for (int i = 0; i < 18; ++i) many += " DATE";
    many += ")";
    parser args(many);
    parse_sort_criteria(args);
    CHECK(args.failed());
}

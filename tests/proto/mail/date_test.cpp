// Dates: RFC 5322 section 3.3 and its obsolete forms, INTERNALDATE and search dates of RFC 9051.
#include "proto/mail/date.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace pp::mail;

namespace {

std::string reread(std::string_view text) {
    const auto at = parse_header_date(text);
    return at ? header_date(*at) : "bad";
}

}  // namespace

TEST_CASE("header dates are read and written") {
    const auto at = parse_header_date("Sun, 22 Nov 2026 06:43:14 +0000");
    REQUIRE(at.has_value());
    CHECK(at->unix_seconds == 1795329794);
    CHECK(at->offset_minutes == 0);
    CHECK(reread("Fri, 21 Nov 1997 09:55:06 -0600") == "Fri, 21 Nov 1997 09:55:06 -0600");
    CHECK(reread("21 Nov 97 09:55:06 GMT") == "Fri, 21 Nov 1997 09:55:06 +0000");           // RFC 5322 appendix A.6.2
    CHECK(reread("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600") == "Fri, 21 Nov 1997 09:55:06 -0600");  // A.6.3
    CHECK(reread("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n"
                 "               -0330 (Newfoundland Time)") ==
          "Thu, 13 Feb 1969 23:32:00 -0330");                                               // A.5
    CHECK(reread("1 Jan 49 0:0 EST") == "Fri, 01 Jan 2049 00:00:00 -0500");
    CHECK(reread("1 Jan 50 0:0 Z") == "Sun, 01 Jan 1950 00:00:00 +0000");
    CHECK(reread("1 Jan 103 00:00:00 pdt") == "Wed, 01 Jan 2003 00:00:00 -0700");
    CHECK(reread("Sunday, 22-November-2026 06:43:14") == "Sun, 22 Nov 2026 06:43:14 +0000");
    CHECK(reread("31 Dec 2016 23:59:60 +0000") == "Sat, 31 Dec 2016 23:59:59 +0000");
    CHECK(reread("Sun, 22 Nov 2026 06:43:14 -5427") == "Sun, 22 Nov 2026 06:43:14 -5427");
    CHECK(reread("Sun, 22 Nov 2026 06:43:14 +0530 rubbish") == "Sun, 22 Nov 2026 06:43:14 +0530");
    for (const auto* bad : {"", "Sun", "22 Nov", "22 Nov 2026", "22 Nov 2026 25:00:00 +0000",
                            "31 Feb 2026 00:00:00 +0000", "0 Nov 2026 00:00 +0000", "22 Nox 2026 00:00 +0000",
                            "22 Nov 2026 00:60 +0000", "22 Nov 2026 00:00:61 +0000", "22 Nov 2026 00:00:00 +00",
                            "22 Nov 2026 00:00:00 +0060", "22 Nov 0000 00:00 +0000", "222 Nov 2026 00:00 +0000", "((((",
                            "22 Nov 20266 00:00 +0000"})
        CHECK(reread(bad) == "bad");
}

TEST_CASE("a sent date needs no more than a day") {   // RFC 5256 section 2.2
    const auto reread_sent = [](std::string_view text) {
        const auto at = parse_sent_date(text);
        return at ? header_date(*at) : "bad";
    };
    CHECK(reread_sent("Fri, 21 Nov 1997 09:55:06 -0600") == "Fri, 21 Nov 1997 09:55:06 -0600");
    CHECK(reread_sent("Fri, 21 Nov 1997 09:55:06 -06") == "Fri, 21 Nov 1997 09:55:06 +0000");
    CHECK(reread_sent("Fri, 21 Nov 1997 09:55:06 +9960") == "Fri, 21 Nov 1997 09:55:06 +0000");
    CHECK(reread_sent("Fri, 21 Nov 1997 25:55:06 -0600") == "Fri, 21 Nov 1997 00:00:00 +0000");
    CHECK(reread_sent("Fri, 21 Nov 1997") == "Fri, 21 Nov 1997 00:00:00 +0000");
    CHECK(reread_sent("21 Nov 1997 at noon") == "Fri, 21 Nov 1997 00:00:00 +0000");
    for (const auto* bad : {"", "soon", "31 Feb 2026 00:00:00 +0000", "22 Nox 2026 00:00 +0000",
                            "22 Nov"})
        CHECK(reread_sent(bad) == "bad");
}

TEST_CASE("internal dates are read and written") {
    const auto at = parse_internal_date("17-Jul-1996 02:44:25 -0700");
    REQUIRE(at.has_value());
    CHECK(at->unix_seconds == 837596665);
    CHECK(at->offset_minutes == -420);
    CHECK(internal_date(*at) == "17-Jul-1996 02:44:25 -0700");
    const auto first = parse_internal_date(" 1-feb-1994 00:00:00 +0000");
    REQUIRE(first.has_value());
    CHECK(internal_date(*first) == " 1-Feb-1994 00:00:00 +0000");
    CHECK(parse_internal_date("01-Feb-1994 00:00:00 +0000").value() == *first);
    for (const auto* bad : {"", "1-Feb-1994 00:00:00 +0000", "17-Jul-1996 02:44:25 -070", "17-Jul-1996 02:44:25 -07000",
                            "17 Jul 1996 02:44:25 -0700", "17-Jux-1996 02:44:25 -0700", "32-Jul-1996 02:44:25 -0700",
                            "17-Jul-1996 24:44:25 -0700", "17-Jul-1996 02:44:25  0700", "  -Jul-1996 02:44:25 -0700",
                            "17-Jul-1996 02:44:+5 -0700"})
        CHECK(parse_internal_date(bad).error() == error_code(errc::bad_date));
    CHECK(internal_date({oldest_internal_date, 0}) == "13-Aug-1982 00:00:00 +0000");
}

TEST_CASE("search dates are days") {
    CHECK(parse_search_date("1-Jan-1970").value() == 0);
    CHECK(parse_search_date("01-Jan-1970").value() == 0);
    CHECK(parse_search_date("\"2-JAN-1970\"").value() == 1);
    CHECK(parse_search_date("31-Dec-1969").value() == -1);
    CHECK(parse_search_date("29-Feb-2024").value() == 19782);
    for (const auto* bad : {"", "\"", "29-Feb-2023", "1-Jan-70", "1-Jan-19700", "-Jan-1970", "111-Jan-1970",
                            " 1-Jan-1970", "1/Jan/1970", "\"1-Jan-1970"})
        CHECK(parse_search_date(bad).error() == error_code(errc::bad_date));
}

TEST_CASE("a moment's day is that of its own zone") {
    CHECK(day_in_its_zone({0, 0}) == 0);
    CHECK(day_in_its_zone({0, -1}) == -1);
    CHECK(day_in_its_zone({86399, 1}) == 1);
    CHECK(day_in_its_zone({-86400, 0}) == -1);
    CHECK(day_in_its_zone({-86401, 0}) == -2);
}

TEST_CASE("moments beyond four digits of year are written, not overrun") {
    constexpr auto top = std::numeric_limits<std::int64_t>::max(), bottom = std::numeric_limits<std::int64_t>::min();
    CHECK(header_date({top, 32767}) == "Sun, 26 Dec 9999 23:59:59 +0000");
    CHECK(internal_date({bottom, -1440}) == " 5-Jan-0001 00:00:00 -2400");
    CHECK(internal_date({top, 1440}).size() == 26);
}

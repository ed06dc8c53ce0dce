// Dates of mail: RFC 5322 section 3.3 header dates (obsolete forms too), IMAP INTERNALDATE, IMAP search dates.
#pragma once

#include "proto/mail/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pp::mail {

struct date_time {
    std::int64_t unix_seconds = 0;
    std::int16_t offset_minutes = 0;     // of the zone it was written in
    bool operator==(const date_time&) const = default;
};

result<date_time> parse_header_date(std::string_view text);
// The same for comparing (RFC 5256 section 2.2): a zone that is none counts as UTC, a time that is none as 00:00:00.
result<date_time> parse_sent_date(std::string_view text);
std::string header_date(const date_time& at);                 // "Sun, 22 Nov 2026 06:43:14 +0000"
// "17-Jul-1996 02:44:25 -0700", day may begin with a blank
result<date_time> parse_internal_date(std::string_view text);
std::string internal_date(const date_time& at);
// Days since 1970-01-01 of "1-Feb-1994", and of a moment as its own zone sees it: what SEARCH compares.
result<std::int32_t> parse_search_date(std::string_view text);
std::int32_t day_in_its_zone(const date_time& at);

inline constexpr std::int64_t oldest_internal_date = 398044800;   // 1982-08-13: Apple Mail fails below (GODT-773)

}  // namespace pp::mail

// Dates of mail: RFC 5322 sections 3.3 and 4.3, RFC 9051 section 9 (date-time and date).
#include "proto/mail/date.hpp"

#include "proto/mail/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>

namespace pp::mail {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::int64_t seconds_per_day = 86400;
constexpr int year_min = 1, year_max = 9999;   // four digits in every form we write
constexpr int zone_hours_max = 99;             // RFC 5322 section 3.3: any four digits, the last two below 60

std::optional<int> number(std::string_view text, std::size_t digits_min, std::size_t digits_max) {
    if (text.size() < digits_min || text.size() > digits_max) return std::nullopt;
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
    return value;
}

std::optional<int> month_number(std::string_view text) {
    for (std::size_t i = 0; i < months.size(); ++i)
        if (ascii::equal_no_case(text, months[i])) return static_cast<int>(i) + 1;
    return std::nullopt;
}

std::optional<std::int32_t> days_of(int year, int month, int day) {
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (year < year_min || year > year_max || !date.ok()) return std::nullopt;
    return static_cast<std::int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::optional<date_time> moment(std::int32_t days, int hour, int minute, int second, int offset_minutes) {
    if (hour > 23 || minute > 59 || second > 60) return std::nullopt;   // 60: a leap second
    // Unix time has no leap second: it is told as the second before, so that it stays on the day it is written with.
    const auto local = days * seconds_per_day + hour * 3600 + minute * 60 + std::min(second, 59);
    return date_time{local - std::int64_t{offset_minutes} * 60, static_cast<std::int16_t>(offset_minutes)};
}

// "+hhmm" or "-hhmm".
std::optional<int> numeric_zone(std::string_view text) {
    if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
    const auto hours = number(text.substr(1, 2), 2, 2), minutes = number(text.substr(3, 2), 2, 2);
    if (!hours || !minutes || *hours > zone_hours_max || *minutes > 59) return std::nullopt;
    const int offset = *hours * 60 + *minutes;
    return text[0] == '-' ? -offset : offset;
}

// RFC 5322 section 4.3: the names of North America mean what they say, everything else is -0000.
int named_zone(std::string_view text) {
    struct name { std::string_view text; int hours; };
    constexpr std::array<name, 8> names{{{"EDT", -4}, {"EST", -5}, {"CDT", -5}, {"CST", -6},
                                         {"MDT", -6}, {"MST", -7}, {"PDT", -7}, {"PST", -8}}};
    for (const auto& n : names)
        if (ascii::equal_no_case(text, n.text)) return n.hours * 60;
    return 0;
}

// Reads the words of a header date; blanks and comments (nested, RFC 5322 section 3.2.2) stand for nothing.
class words {
public:
    explicit words(std::string_view text) : rest_(text) {}

    bool done() {
        skip();
        return rest_.empty();
    }
    bool take(char c) {
        skip();
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view digits() { return take_while(ascii::is_digit); }
    std::string_view letters() { return take_while(ascii::is_alpha); }
    std::string_view zone() {
        skip();
        if (rest_.empty() || (rest_.front() != '+' && rest_.front() != '-')) return letters();
        std::size_t n = 1;
        while (n < rest_.size() && ascii::is_digit(rest_[n])) ++n;
        return cut(n);
    }

private:
    void skip() {
        std::size_t depth = 0;
        while (!rest_.empty()) {
            const char c = rest_.front();
            if (c == '\\' && depth > 0 && rest_.size() > 1) rest_.remove_prefix(1);
            else if (c == '(') ++depth;
            else if (c == ')' && depth > 0) --depth;
            else if (depth == 0 && !ascii::is_space(c)) return;
            rest_.remove_prefix(1);
        }
    }
    template <class Wanted>
    std::string_view take_while(Wanted wanted) {
        skip();
        std::size_t n = 0;
        while (n < rest_.size() && wanted(rest_[n])) ++n;
        return cut(n);
    }
    std::string_view cut(std::size_t n) {
        const auto word = rest_.substr(0, n);
        rest_.remove_prefix(n);
        return word;
    }
    std::string_view rest_;
};

struct civil { int year; unsigned month, day; int hour, minute, second; };
civil in_its_zone(const date_time& at) {
    const auto local = at.unix_seconds + std::int64_t{at.offset_minutes} * 60;
    const auto days = day_in_its_zone(at);
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
    const auto rest = static_cast<int>(local - days * seconds_per_day);
    return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
            rest / 3600, rest / 60 % 60, rest % 60};
}

// A moment whose year does not fit four digits cannot be written; it is moved to the nearest that can.
date_time writable(const date_time& at) {
    constexpr std::int64_t first = -62135164800, last = 253401868799;   // years 1 to 9999 less five days for the zone
    auto moved = at;
    moved.unix_seconds = std::min(std::max(at.unix_seconds, first), last);
    constexpr int most = zone_hours_max * 60 + 59;
    if (moved.offset_minutes > most || moved.offset_minutes < -most) moved.offset_minutes = 0;
    return moved;
}

std::string zone_text(int offset_minutes) {
    const int size = offset_minutes < 0 ? -offset_minutes : offset_minutes;
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%c%02d%02d", offset_minutes < 0 ? '-' : '+', size / 60, size % 60);
    return text.data();
}

// hour ":" minute [":" second] zone; nullopt: not a time. A zone that is none makes `zone_valid` false.
struct time_of_day {
    int hour = 0, minute = 0, second = 0, offset_minutes = 0;
};
std::optional<time_of_day> read_time(words& in, bool& zone_valid) {
    const auto hour = number(in.digits(), 1, 2);
    if (!hour || !in.take(':')) return std::nullopt;
    const auto minute = number(in.digits(), 1, 2);
    const auto second = in.take(':') ? number(in.digits(), 1, 2) : std::optional(0);
    if (!minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;   // 60: a leap second
    time_of_day at{*hour, *minute, *second, 0};
    const auto zone = in.zone();
    zone_valid = true;
    if (zone.empty() || ascii::is_alpha(zone.front())) {
        at.offset_minutes = named_zone(zone);
    } else if (const auto numeric = numeric_zone(zone)) {
        at.offset_minutes = *numeric;
    } else {
        zone_valid = false;
    }
    return at;
}

result<date_time> read_date(std::string_view text, bool leniently) {
    words in(text);
    auto day_digits = in.digits();
    if (day_digits.empty()) {   // [day-of-week ","]; the comma is missing in some old mails
        if (in.letters().empty()) return errc::bad_date;
        in.take('.');
        in.take(',');
        day_digits = in.digits();
    }
    const auto day = number(day_digits, 1, 2);
    in.take('-');               // "22-Nov-2026" of old software
    const auto month_name = in.letters();
    const auto month = month_number(month_name.substr(0, 3));   // "September" is seen too
    in.take('-');
    const auto year_digits = in.digits();
    auto year = number(year_digits, 2, 4);
    if (!day || !month || !year) return errc::bad_date;
    // RFC 5322 section 4.3: two digits below 50 are of this century, other short years count from 1900.
    if (year_digits.size() == 2 && *year < 50) *year += 2000;
    else if (year_digits.size() < 4) *year += 1900;
    const auto days = days_of(*year, *month, *day);
    if (!days) return errc::bad_date;

    bool zone_valid = false;
    auto time = read_time(in, zone_valid);
    if (!(time && zone_valid) && !leniently) return errc::bad_date;
    if (!time) time.emplace();
    const auto at = moment(*days, time->hour, time->minute, time->second, time->offset_minutes);
    if (!at) return errc::bad_date;
    return *at;   // what follows the zone (a comment, or rubbish) has no say
}

}  // namespace

result<date_time> parse_header_date(std::string_view text) { return read_date(text, false); }
result<date_time> parse_sent_date(std::string_view text) { return read_date(text, true); }

std::string header_date(const date_time& given) {
    const auto at = writable(given);
    const auto c = in_its_zone(at);
    const auto weekday = ((day_in_its_zone(at) + 4) % 7 + 7) % 7;   // 1970-01-01 was a Thursday
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d ",
                  weekdays[static_cast<std::size_t>(weekday)].data(), c.day, months[c.month - 1].data(), c.year, c.hour,
                  c.minute, c.second);
    return text.data() + zone_text(at.offset_minutes);
}

result<date_time> parse_internal_date(std::string_view text) {
    // date-day-fixed "-" date-month "-" date-year SP time SP zone: 26 bytes, each at its place.
    if (text.size() != 26 || text[2] != '-' || text[6] != '-' || text[11] != ' ' || text[14] != ':' ||
        text[17] != ':' || text[20] != ' ')
        return errc::bad_date;
    const auto day = text[0] == ' ' ? number(text.substr(1, 1), 1, 1) : number(text.substr(0, 2), 2, 2);
    const auto month = month_number(text.substr(3, 3));
    const auto year = number(text.substr(7, 4), 4, 4);
    const auto hour = number(text.substr(12, 2), 2, 2), minute = number(text.substr(15, 2), 2, 2),
               second = number(text.substr(18, 2), 2, 2);
    const auto zone = numeric_zone(text.substr(21));
    if (!day || !month || !year || !hour || !minute || !second || !zone) return errc::bad_date;
    const auto days = days_of(*year, *month, *day);
    if (!days) return errc::bad_date;
    const auto at = moment(*days, *hour, *minute, *second, *zone);
    if (!at) return errc::bad_date;
    return *at;
}

std::string internal_date(const date_time& given) {
    const auto at = writable(given);
    const auto c = in_its_zone(at);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%2u-%s-%04d %02d:%02d:%02d ", c.day, months[c.month - 1].data(), c.year,
                  c.hour, c.minute, c.second);
    return text.data() + zone_text(at.offset_minutes);
}

result<std::int32_t> parse_search_date(std::string_view text) {
    // RFC 9051 section 9: date = date-text / DQUOTE date-text DQUOTE; date-day is one or two digits.
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    const auto dash = text.find('-');
    if (dash == text.npos || text.size() != dash + 9 || text[dash + 4] != '-') return errc::bad_date;
    const auto day = number(text.substr(0, dash), 1, 2);
    const auto month = month_number(text.substr(dash + 1, 3));
    const auto year = number(text.substr(dash + 5), 4, 4);
    if (!day || !month || !year) return errc::bad_date;
    const auto days = days_of(*year, *month, *day);
    if (!days) return errc::bad_date;
    return *days;
}

std::int32_t day_in_its_zone(const date_time& given) {
    const auto at = writable(given);
    const auto local = at.unix_seconds + std::int64_t{at.offset_minutes} * 60;
    const auto towards_zero = local / seconds_per_day;
    return static_cast<std::int32_t>(local % seconds_per_day < 0 ? towards_zero - 1 : towards_zero);
}

}  // namespace pp::mail

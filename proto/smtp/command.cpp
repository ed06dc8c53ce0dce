#include "proto/smtp/command.hpp"

#include "proto/mail/ascii.hpp"
#include "proto/smtp/limits.hpp"
#include "proto/smtp/xtext.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <vector>

namespace pp::smtp {

namespace {

std::string in_capitals(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_printable_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::optional<std::uint64_t> parse_number(std::string_view digits) {
    if (digits.empty() || digits.size() > size_digits_max) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
        value = value * 10 + digit;
    }
    return value;
}

struct parameter {
    std::string key;   // in capitals
    std::optional<std::string_view> value;
};
struct path_line {
    std::string_view path;   // without <> and source route
    std::vector<parameter> parameters;
};

reply syntax_error(std::string text) { return {501, "5.5.4", std::move(text)}; }

// Where the path that begins at text[0] == '<' ends (behind the '>'), quoted strings respected; npos when it does not.
std::size_t end_of_path(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\' && quoted) ++i;
        else if (text[i] == '"') quoted = !quoted;
        else if (text[i] == '>' && !quoted) return i + 1;
    }
    return text.npos;
}

parsed<path_line> parse_path_line(std::string_view argument, std::string_view keyword) {
    const std::string form = keyword == "FROM:" ? "write MAIL FROM:<address>" : "write RCPT TO:<address>";
    if (argument.size() < keyword.size() || !mail::ascii::equal_no_case(argument.substr(0, keyword.size()), keyword))
        return syntax_error(form);
    std::string_view rest = argument.substr(keyword.size());
    // Departure: a blank behind the colon is sent by Outlook 365.
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.empty()) return syntax_error(form);
    path_line out;
    if (rest.front() == '<') {
        const auto end = end_of_path(rest);
        if (end == rest.npos) return syntax_error("the address lacks its closing >");
        out.path = trimmed(rest.substr(1, end - 2));
        rest.remove_prefix(end);
        if (!rest.empty() && rest.front() != ' ' && rest.front() != '\t')
            return syntax_error("a blank belongs between the address and its parameters");
        // RFC 5321 appendix C: a source route is accepted and ignored.
        if (!out.path.empty() && out.path.front() == '@') {
            const auto colon = out.path.find(':');
            if (colon == out.path.npos) return reply{501, "5.1.7", "an address has the form name@domain"};
            out.path.remove_prefix(colon + 1);
        }
    } else {   // Departure: old clients leave the <> out (Dovecot's mailbox-for-path)
        const auto end = std::min(rest.find_first_of(" \t"), rest.size());
        out.path = rest.substr(0, end);
        rest.remove_prefix(end);
        if (out.path.find_first_of("<>") != out.path.npos) return syntax_error(form);
    }
    while (!(rest = trimmed(rest)).empty()) {
        const auto end = std::min(rest.find_first_of(" \t"), rest.size());
        const auto word = rest.substr(0, end);
        rest.remove_prefix(end);
        const auto equals = word.find('=');
        parameter p{in_capitals(word.substr(0, equals)), std::nullopt};
        if (equals != word.npos) p.value = word.substr(equals + 1);
        for (const auto& other : out.parameters)
            if (other.key == p.key) return syntax_error("parameter " + p.key + " is given twice");
        if (out.parameters.size() == parameters_max) return syntax_error("too many parameters");
        out.parameters.push_back(std::move(p));
    }
    return out;
}

reply unknown_parameter(const parameter& p) {   // RFC 5321 section 4.1.1.11
    return {555, "5.5.4",
            "parameter " + (is_printable_ascii(p.key) ? p.key : std::string("given")) + " is not known here"};
}

// RFC 6531 section 3.5: 553 5.6.7 for a non-ASCII address where SMTPUTF8 was not asked for.
reply needs_smtputf8() { return {553, "5.6.7", "an address beyond ASCII needs the SMTPUTF8 parameter on MAIL"}; }

std::optional<reply> set_notify(std::string_view value, dsn_notify& notify) {   // RFC 3461 section 4.1
    notify.given = true;
    if (mail::ascii::equal_no_case(value, "NEVER")) {
        notify.never = true;
        return std::nullopt;
    }
    for (bool more = true; more;) {
        const auto comma = value.find(',');
        more = comma != value.npos;
        const auto word = value.substr(0, comma);
        value.remove_prefix(more ? comma + 1 : value.size());
        if (mail::ascii::equal_no_case(word, "SUCCESS")) notify.success = true;
        else if (mail::ascii::equal_no_case(word, "FAILURE")) notify.failure = true;
        else if (mail::ascii::equal_no_case(word, "DELAY")) notify.delay = true;
        else return syntax_error("NOTIFY takes NEVER, or a list of SUCCESS, FAILURE and DELAY");
    }
    return std::nullopt;
}

reply held_too_long(const session_options& options) {
    return {501, "5.5.4", "a mail is held for " + std::to_string(options.hold_for_max_s) + " seconds at most, until " +
                              moment_text(options.hold_until_max)};
}

bool is_good_orcpt(std::string_view value) {   // RFC 3461 section 4.2: address type, ";", xtext
    if (value.size() > orcpt_bytes_max) return false;
    const auto semicolon = value.find(';');
    if (semicolon == value.npos || semicolon == 0) return false;
    for (const char c : value.substr(0, semicolon))
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')) return false;
    const auto address = decode_xtext(value.substr(semicolon + 1));
    return address && !address->empty();
}

}  // namespace

command_line split_command(std::string_view line) {
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    return {in_capitals(line.substr(0, end)), trimmed(line.substr(end))};
}

std::optional<std::int64_t> parse_moment(std::string_view text) {
    constexpr std::string_view form = "0000-00-00T00:00:00Z";
    if (text.size() != form.size()) return std::nullopt;
    for (std::size_t i = 0; i < form.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        const bool same = text[i] == form[i] || (form[i] >= 'A' && text[i] == form[i] - 'A' + 'a');
        if (form[i] == '0' ? !digit : !same) return std::nullopt;
    }
    const auto at = [text](std::size_t from, std::size_t digits) {
        return static_cast<int>(*parse_number(text.substr(from, digits)));
    };
    const std::chrono::year_month_day day{std::chrono::year(at(0, 4)),
                                          std::chrono::month(static_cast<unsigned>(at(5, 2))),
                                          std::chrono::day(static_cast<unsigned>(at(8, 2)))};
    const int hour = at(11, 2), minute = at(14, 2), second = at(17, 2);
    if (!day.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;   // 60: a leap second
    const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

std::string moment_text(std::int64_t unix_s) {
    const std::chrono::sys_seconds moment{std::chrono::seconds(unix_s)};
    const auto midnight = std::chrono::floor<std::chrono::days>(moment);
    const std::chrono::year_month_day day(midnight);
    const std::chrono::hh_mm_ss time(moment - midnight);
    char out[64];
    std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(day.year()),
                  static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return out;
}

parsed<mail_from> parse_mail(std::string_view argument, const session_options& options) {
    auto line = parse_path_line(argument, "FROM:");
    if (auto* wrong = std::get_if<reply>(&line)) return std::move(*wrong);
    const auto& [path, parameters] = std::get<path_line>(line);
    mail_from out;
    for (const auto& p : parameters) {
        if (p.key == "SIZE") {   // RFC 1870 section 6.1
            if (!p.value || !(out.size_bytes = parse_number(*p.value)))
                return syntax_error("SIZE takes a number of bytes");
            if (options.size_max > 0 && *out.size_bytes > options.size_max)
                return reply{552, "5.3.4",
                             "the mail is larger than the " + std::to_string(options.size_max) + " bytes taken here"};
        } else if (p.key == "BODY") {   // RFC 6152 section 3, RFC 3030 section 3
            if (p.value && mail::ascii::equal_no_case(*p.value, "8BITMIME")) out.body_8bit = true;
            else if (p.value && mail::ascii::equal_no_case(*p.value, "BINARYMIME")) out.body_binary = true;
            else if (!p.value || !mail::ascii::equal_no_case(*p.value, "7BIT"))
                return syntax_error("BODY is 7BIT, 8BITMIME or BINARYMIME");
        } else if (p.key == "HOLDFOR" && options.hold_for_max_s > 0) {   // RFC 4865 section 4
            if (p.value && p.value->size() <= hold_for_digits_max) out.hold_for_s = parse_number(*p.value);
            if (!out.hold_for_s) return syntax_error("HOLDFOR takes a number of seconds");
            if (*out.hold_for_s > options.hold_for_max_s) return held_too_long(options);
        } else if (p.key == "HOLDUNTIL" && options.hold_for_max_s > 0) {
            if (p.value) out.hold_until = parse_moment(*p.value);
            if (!out.hold_until) return syntax_error("HOLDUNTIL takes a moment such as 2026-11-22T07:00:00Z");
            if (*out.hold_until > options.hold_until_max) return held_too_long(options);
        } else if (p.key == "SMTPUTF8") {   // RFC 6531 section 3.4: no value
            if (p.value) return syntax_error("SMTPUTF8 takes no value");
            out.smtputf8 = true;
        } else if (p.key == "RET") {   // RFC 3461 section 4.3
            if (p.value && mail::ascii::equal_no_case(*p.value, "FULL")) out.ret = dsn_return::full;
            else if (p.value && mail::ascii::equal_no_case(*p.value, "HDRS")) out.ret = dsn_return::headers;
            else return syntax_error("RET is FULL or HDRS");
        } else if (p.key == "ENVID") {   // RFC 3461 section 4.4
            const auto id = p.value ? decode_xtext(*p.value) : std::nullopt;
            if (!id || id->empty() || p.value->size() > envid_bytes_max || !is_printable_ascii(*id))
                return syntax_error("ENVID is not well formed");
            out.envid = *id;
        } else if (p.key == "AUTH") {   // RFC 4954 section 5: may be ignored; the login says who it is
            if (!p.value || p.value->empty()) return syntax_error("AUTH needs a value");
        } else {
            return unknown_parameter(p);
        }
    }
    if (out.hold_for_s && out.hold_until) return syntax_error("HOLDFOR and HOLDUNTIL exclude each other");
    if (path.empty()) return out;   // the null reverse path
    if (!out.smtputf8 && !is_ascii(path)) return needs_smtputf8();
    auto from = mail::parse_address(path, out.smtputf8);
    if (!from) return reply{501, "5.1.7", "the sender's address is not well formed"};
    out.from = std::move(*from);
    return out;
}

parsed<recipient> parse_rcpt(std::string_view argument, bool smtputf8, std::string_view host_name) {
    auto line = parse_path_line(argument, "TO:");
    if (auto* wrong = std::get_if<reply>(&line)) return std::move(*wrong);
    const auto& [path, parameters] = std::get<path_line>(line);
    recipient out;
    for (const auto& p : parameters) {
        if (p.key == "NOTIFY") {
            if (auto wrong = set_notify(p.value.value_or(""), out.notify)) return std::move(*wrong);
        } else if (p.key == "ORCPT") {
            if (!p.value || !is_good_orcpt(*p.value)) return syntax_error("ORCPT is not well formed");
            out.orcpt = std::string(*p.value);
        } else {
            return unknown_parameter(p);
        }
    }
    if (!smtputf8 && !is_ascii(path)) return needs_smtputf8();
    if (mail::ascii::equal_no_case(path, "postmaster")) {
        out.to = mail::address{std::string(path), std::string(host_name)};
        return out;
    }
    auto to = mail::parse_address(path, smtputf8);
    if (!to) return reply{501, "5.1.3", "the recipient's address is not well formed"};
    out.to = std::move(*to);
    return out;
}

parsed<bdat> parse_bdat(std::string_view argument) {
    const auto blank = std::min(argument.find_first_of(" \t"), argument.size());
    const auto size = parse_number(argument.substr(0, blank));
    const auto word = trimmed(argument.substr(blank));
    if (!size || !(word.empty() || mail::ascii::equal_no_case(word, "LAST")))
        return syntax_error("write BDAT size, or BDAT size LAST");
    return bdat{*size, !word.empty()};
}

}  // namespace pp::smtp

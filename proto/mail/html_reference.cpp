#include "proto/mail/html_reference.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

namespace pp::mail {

namespace {

constexpr std::uint32_t no_break_space = 0xa0;
constexpr const char* replacement = "\xef\xbf\xbd";   // what browsers show for a number that is no character

std::string utf8_of(std::uint32_t code) {
    std::string out;
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xe0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
    } else {
        out += static_cast<char>(0xf0 | code >> 18);
        out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
        out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
    }
    return out;
}

std::optional<std::string> numbered(std::string_view digits) {
    const bool hexadecimal = digits.starts_with('x') || digits.starts_with('X');
    if (hexadecimal) digits.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, hexadecimal ? 16 : 10);
    if (digits.empty() || end != digits.data() + digits.size()) return std::nullopt;
    if (failed != std::errc() || code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return replacement;
    return code == no_break_space ? " " : utf8_of(code);
}

}  // namespace

std::optional<std::string> html_character(std::string_view name) {
    if (name.starts_with('#')) return numbered(name.substr(1));
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}, {"shy", ""},
        {"zwnj", ""},
        {"auml", "\u00e4"}, {"ouml", "\u00f6"}, {"uuml", "\u00fc"}, {"Auml", "\u00c4"}, {"Ouml", "\u00d6"},
        {"Uuml", "\u00dc"}, {"szlig", "\u00df"}, {"agrave", "\u00e0"}, {"aacute", "\u00e1"}, {"acirc", "\u00e2"},
        {"atilde", "\u00e3"}, {"aring", "\u00e5"}, {"aelig", "\u00e6"}, {"ccedil", "\u00e7"}, {"egrave", "\u00e8"},
        {"eacute", "\u00e9"}, {"ecirc", "\u00ea"}, {"euml", "\u00eb"}, {"igrave", "\u00ec"}, {"iacute", "\u00ed"},
        {"icirc", "\u00ee"}, {"iuml", "\u00ef"}, {"ntilde", "\u00f1"}, {"ograve", "\u00f2"}, {"oacute", "\u00f3"},
        {"ocirc", "\u00f4"}, {"otilde", "\u00f5"}, {"oslash", "\u00f8"}, {"ugrave", "\u00f9"}, {"uacute", "\u00fa"},
        {"ucirc", "\u00fb"}, {"yacute", "\u00fd"}, {"euro", "\u20ac"}, {"ndash", "\u2013"}, {"mdash", "\u2014"},
        {"lsquo", "\u2018"}, {"rsquo", "\u2019"}, {"ldquo", "\u201c"}, {"rdquo", "\u201d"}, {"hellip", "\u2026"},
        {"copy", "\u00a9"}, {"reg", "\u00ae"}, {"trade", "\u2122"}, {"laquo", "\u00ab"}, {"raquo", "\u00bb"},
    };
    for (const auto& [known, text] : names)
        if (known == name) return std::string(text);
    return std::nullopt;
}

}  // namespace pp::mail

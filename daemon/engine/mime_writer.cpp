#include "daemon/engine/mime_writer.hpp"

#include "proto/mail/ascii.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

constexpr std::size_t encoded_line_max = 76;         // RFC 2045 section 6.7 (5), 6.8
// of text: 56 of base64 and 12 around are below 75 (RFC 2047 section 2)
constexpr std::size_t encoded_word_bytes_max = 42;
constexpr std::size_t quoted_phrase_max = 60;        // longer ones could not be folded

std::string hex_pair(unsigned char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    return {digits[c >> 4], digits[c & 15]};
}

std::string quoted_printable_line(std::string_view line) {
    std::string out;
    std::size_t width = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto c = static_cast<unsigned char>(line[i]);
        const bool at_end = i + 1 == line.size();
        const bool plain = (c >= 33 && c <= 126 && c != '=') || ((c == ' ' || c == '\t') && !at_end);
        // "From " and "." at the front are changed by old software on the way.
        const bool guarded = i == 0 && (c == '.' || line.starts_with("From "));
        const std::string piece = plain && !guarded ? std::string(1, line[i]) : "=" + hex_pair(c);
        if (width + piece.size() > encoded_line_max - 1) {
            out += "=\r\n";
            width = 0;
        }
        out += piece;
        width += piece.size();
    }
    return out;
}

}  // namespace

std::string base64_lines(bytes_view data) {
    constexpr std::size_t line_bytes = encoded_line_max / 4 * 3;
    std::string out;
    for (std::size_t at = 0; at < data.size(); at += line_bytes)
        out += crypto::base64(data.subspan(at, std::min(line_bytes, data.size() - at))) + "\r\n";
    return out;
}

std::string quoted_printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        out += quoted_printable_line(line) + "\r\n";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string clean_text(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto length = mail::ascii::utf8_sequence(text);
        if (length == 0) out += '?';
        else if (length == 1 && mail::ascii::is_control(text.front())) out += ' ';
        else out += text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string header_phrase(std::string_view text) {
    const std::string clean = clean_text(text);
    const bool ascii = std::none_of(clean.begin(), clean.end(), [](char c) { return mail::ascii::is_8bit(c); });
    if (ascii && clean.size() <= quoted_phrase_max && clean.find("=?") == clean.npos) {
        const bool atoms = !clean.empty() && clean.front() != ' ' && clean.back() != ' ' &&
                           clean.find("  ") == clean.npos &&
                           std::all_of(clean.begin(), clean.end(),
                                       [](char c) { return c == ' ' || mail::ascii::is_atext(c); });
        if (atoms) return clean;
        std::string out = "\"";
        for (const char c : clean) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        return out + '"';
    }
    std::string out;
    std::string_view rest = clean;
    while (!rest.empty()) {   // RFC 2047 section 5: an encoded word holds whole characters
        std::size_t taken = 0;
        while (taken < rest.size()) {
            const auto length = mail::ascii::utf8_sequence(rest.substr(taken));
            if (taken + length > encoded_word_bytes_max) break;
            taken += length;
        }
        if (!out.empty()) out += "\r\n ";
        out += "=?utf-8?B?" + crypto::base64(as_bytes(rest.substr(0, taken))) + "?=";
        rest.remove_prefix(taken);
    }
    return out;
}

}  // namespace pp::engine

// Modified UTF-7 of mailbox names (RFC 3501 section 5.1.3). The decoder takes the one right spelling of a name only:
// two spellings of one mailbox would be two mailboxes.
#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/transfer_encoding.hpp"

#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace pp::mail {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

bool is_printable(char32_t c) { return c >= 0x20 && c <= 0x7e; }

void append_code_point(char32_t c, std::string& out) {
    std::array<char, U8_MAX_LENGTH> bytes{};
    std::size_t n = 0;
    U8_APPEND_UNSAFE(bytes.data(), n, c);
    out.append(bytes.data(), n);
}

// What stands between "&" and "-": UTF-16 in base64.
bool append_shifted(std::string_view text, std::string& out) {
    std::uint32_t bits = 0;
    int bit_count = 0;
    char16_t high = 0;
    for (const char c : text) {
        const int value = c == ',' ? 63 : c == '/' ? -1 : base64_value(c);
        if (value < 0) return false;
        bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0x3fffff;
        bit_count += 6;
        if (bit_count < 16) continue;
        bit_count -= 16;
        const auto unit = static_cast<char16_t>(bits >> bit_count & 0xffff);
        bits &= (1u << bit_count) - 1;
        if (high) {
            if (!U16_IS_TRAIL(unit)) return false;
            append_code_point(static_cast<char32_t>(U16_GET_SUPPLEMENTARY(high, unit)), out);
            high = 0;
        } else if (U16_IS_LEAD(unit)) {
            high = unit;
        } else {
            // Printable ASCII stands for itself; a control character has no place in a name.
            if (U16_IS_TRAIL(unit) || unit < 0x80) return false;
            append_code_point(unit, out);
        }
    }
    return high == 0 && bit_count < 6 && bits == 0;
}

void append_shift(const std::u16string& units, std::string& out) {
    out += '&';
    std::uint32_t bits = 0;
    int bit_count = 0;
    for (const auto unit : units) {
        bits = bits << 16 | unit;
        for (bit_count += 16; bit_count >= 6; bit_count -= 6) out += alphabet[bits >> (bit_count - 6) & 0x3f];
        bits &= (1u << bit_count) - 1;
    }
    if (bit_count > 0) out += alphabet[bits << (6 - bit_count) & 0x3f];
    out += '-';
}

}  // namespace

result<std::string> from_modified_utf7(std::string_view name) {
    std::string out;
    bool after_shift = false;   // two shifts in a row are one shift cut in two
    while (!name.empty()) {
        const char c = name.front();
        if (ascii::is_8bit(c) || ascii::is_control(c)) return errc::bad_encoding;
        if (c != '&') {
            out += c;
            name.remove_prefix(1);
            after_shift = false;
            continue;
        }
        const auto end = name.find('-');
        if (end == name.npos) return errc::bad_encoding;
        if (end == 1) {
            out += '&';
        } else if (after_shift || !append_shifted(name.substr(1, end - 1), out)) {
            return errc::bad_encoding;
        }
        after_shift = end != 1;
        name.remove_prefix(end + 1);
    }
    return out;
}

std::string to_modified_utf7(std::string_view utf8) {
    std::string out;
    std::u16string shifted;
    const auto flush = [&] {
        if (!shifted.empty()) append_shift(shifted, out);
        shifted.clear();
    };
    while (!utf8.empty()) {
        const auto n = ascii::utf8_sequence(utf8);
        char32_t c = 0xfffd;   // what is no UTF-8
        if (n == 1) c = static_cast<unsigned char>(utf8[0]);
        else if (n > 1) {
            c = static_cast<unsigned char>(utf8[0]) & (0xffu >> (n + 1));
            for (std::size_t i = 1; i < n; ++i) c = c << 6 | (static_cast<unsigned char>(utf8[i]) & 0x3fu);
        }
        utf8.remove_prefix(std::max<std::size_t>(n, 1));
        if (is_printable(c)) {
            flush();
            out += static_cast<char>(c);
            if (c == '&') out += '-';
        } else if (c < 0x10000) {
            shifted += static_cast<char16_t>(c);
        } else {
            shifted += static_cast<char16_t>(U16_LEAD(c));
            shifted += static_cast<char16_t>(U16_TRAIL(c));
        }
    }
    flush();
    return out;
}

}  // namespace pp::mail

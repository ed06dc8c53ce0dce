#include "proto/smtp/xtext.hpp"

namespace pp::smtp {

namespace {

// RFC 3461 section 4: hexchar has capitals only; senders with small letters exist and are understood.
int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool is_xchar(unsigned char c) { return c >= 0x21 && c <= 0x7e && c != '+' && c != '='; }

}  // namespace

std::optional<std::string> decode_xtext(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '+') {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            const int value = high * 16 + low;
            if (value < 0x20 || value == 0x7f) return std::nullopt;
            out += static_cast<char>(value);
            i += 2;
        } else if (is_xchar(c) || c >= 0x80) {   // RFC 6533 section 3: UTF-8 as it is under SMTPUTF8
            out += text[i];
        } else {
            return std::nullopt;
        }
    }
    return out;
}

}  // namespace pp::smtp

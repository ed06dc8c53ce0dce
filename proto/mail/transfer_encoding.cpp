// Base64 and quoted-printable (RFC 2045 sections 6.7 and 6.8).
#include "proto/mail/transfer_encoding.hpp"

#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"

namespace pp::mail {
namespace {

constexpr std::size_t trailing_blanks_max = 1000;   // beyond a line of RFC 5322 section 2.1.1 they are taken as text

constexpr std::array<std::int8_t, 256> base64_values = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return table;
}();

}  // namespace

int base64_value(char c) { return base64_values[static_cast<unsigned char>(c)]; }

int hex_value(char c) {
    if (ascii::is_digit(c)) return c - '0';
    const char l = ascii::lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

void base64_decoder::update(std::string_view encoded, std::string& out) {
    for (const char c : encoded) {
        const int value = base64_value(c);
        if (value < 0) {
            if (c == '=') end_group(out);   // what follows is another encoded text, as concatenating mailers write
            continue;
        }
        bits_ = bits_ << 6 | static_cast<std::uint32_t>(value);
        if (++characters_ < 4) continue;
        const char bytes[3] = {static_cast<char>(bits_ >> 16), static_cast<char>(bits_ >> 8), static_cast<char>(bits_)};
        out.append(bytes, 3);
        bits_ = 0;
        characters_ = 0;
    }
}

void base64_decoder::end_group(std::string& out) {
    if (characters_ == 2) {
        out += static_cast<char>(bits_ >> 4);
    } else if (characters_ == 3) {
        out += static_cast<char>(bits_ >> 10);
        out += static_cast<char>(bits_ >> 2);
    }
    bits_ = 0;
    characters_ = 0;
}

void quoted_printable_decoder::update(std::string_view encoded, std::string& out) {
    for (const char c : encoded) {
        switch (mode_) {
            case mode::text: text_byte(c, out); break;
            case mode::equals:
                if (hex_value(c) >= 0) {
                    first_digit_ = c;
                    mode_ = mode::hex;
                } else if (c == '\n') {
                    mode_ = mode::text;
                } else if (c == '\r') {
                    mode_ = mode::soft_break_cr;
                } else if (ascii::is_blank(c)) {
                    blanks_ = c;
                    mode_ = mode::soft_break;
                } else {
                    out += '=';
                    mode_ = mode::text;
                    text_byte(c, out);
                }
                break;
            case mode::hex:
                mode_ = mode::text;
                if (hex_value(c) >= 0) {
                    out += static_cast<char>(hex_value(first_digit_) * 16 + hex_value(c));
                } else {
                    out += '=';
                    out += first_digit_;
                    text_byte(c, out);
                }
                break;
            case mode::soft_break:   // blanks between "=" and the line end are padding too
                if (ascii::is_blank(c) && blanks_.size() < trailing_blanks_max) {
                    blanks_ += c;
                } else if (c == '\n') {
                    blanks_.clear();
                    mode_ = mode::text;
                } else if (c == '\r') {
                    blanks_.clear();
                    mode_ = mode::soft_break_cr;
                } else {
                    out += '=';
                    mode_ = mode::text;
                    text_byte(c, out);
                }
                break;
            case mode::soft_break_cr:
                mode_ = mode::text;
                if (c != '\n') text_byte(c, out);
                break;
        }
    }
}

void quoted_printable_decoder::text_byte(char c, std::string& out) {
    if (ascii::is_blank(c) && blanks_.size() < trailing_blanks_max) {
        blanks_ += c;
        return;
    }
    if (c != '\r' && c != '\n') out += blanks_;
    blanks_.clear();
    if (c == '=') mode_ = mode::equals;
    else out += c;
}

void quoted_printable_decoder::finish(std::string& out) {
    if (mode_ == mode::hex) {
        out += '=';
        out += first_digit_;
    }
    blanks_.clear();   // the end of the text ends its last line
    mode_ = mode::text;
}

std::string decode_base64_lenient(std::string_view text) {
    std::string out;
    out.reserve(text.size() / 4 * 3);
    base64_decoder decoder;
    decoder.update(text, out);
    decoder.finish(out);
    return out;
}

std::string decode_quoted_printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    quoted_printable_decoder decoder;
    decoder.update(text, out);
    decoder.finish(out);
    return out;
}

}  // namespace pp::mail

// RFC 2045 sections 6.7 and 6.8, read leniently: mail that is in the field is decoded as far as it makes sense.
#include "proto/imap/fetch/fetch_transfer.hpp"

#include "proto/mail/charset.hpp"

#include <array>

namespace pp::imap {

namespace {

// RFC 2045 section 6.7 limits an encoded line to 76 characters, RFC 5322 section 2.1.1 any line to 998: a longer run of
// blanks is content, whatever follows.
constexpr std::size_t held_blanks_max = 998;

constexpr std::array<std::int8_t, 256> base64_values = [] {
    std::array<std::int8_t, 256> table{};
    for (auto& v : table) v = -1;
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return table;
}();

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

}  // namespace

std::optional<transfer_encoding> known_transfer_encoding(const std::optional<std::string>& value) {
    if (!value) return transfer_encoding::identity;
    const auto name = trimmed(*value);
    for (const std::string_view same : {"", "7bit", "8bit", "binary"})
        if (mail::equal_ascii_case(name, same)) return transfer_encoding::identity;
    if (mail::equal_ascii_case(name, "base64")) return transfer_encoding::base64;
    if (mail::equal_ascii_case(name, "quoted-printable")) return transfer_encoding::quoted_printable;
    return std::nullopt;
}

void transfer_decoder::update(std::string_view encoded, std::string& out) {
    switch (encoding_) {
    case transfer_encoding::identity: out += encoded; break;
    case transfer_encoding::base64: base64(encoded, out); break;
    case transfer_encoding::quoted_printable: quoted_printable(encoded, out); break;
    }
}

void transfer_decoder::finish(std::string& out) {
    if (encoding_ == transfer_encoding::base64) flush_base64(out);
    if (!held_.empty() && held_.front() == '=' && held_ != "=" && held_ != "=\r") out += held_;
    held_.clear();   // blanks and a lone "=" at the very end are a line end of the encoding
}

// Foreign characters are skipped (RFC 2045 section 6.8); padding ends a group, and what follows begins a new one:
// several encoded texts in a row are seen in mailing list footers.
void transfer_decoder::base64(std::string_view encoded, std::string& out) {
    for (const char c : encoded) {
        if (c == '=') {
            flush_base64(out);
            continue;
        }
        const int value = base64_values[static_cast<unsigned char>(c)];
        if (value < 0) continue;
        bits_ = bits_ << 6 | static_cast<std::uint32_t>(value);
        if (++symbols_ < 4) continue;
        out += static_cast<char>(bits_ >> 16 & 0xff);
        out += static_cast<char>(bits_ >> 8 & 0xff);
        out += static_cast<char>(bits_ & 0xff);
        symbols_ = 0;
        bits_ = 0;
    }
}

void transfer_decoder::flush_base64(std::string& out) {
    if (symbols_ == 2) out += static_cast<char>(bits_ >> 4 & 0xff);
    if (symbols_ == 3) {
        out += static_cast<char>(bits_ >> 10 & 0xff);
        out += static_cast<char>(bits_ >> 2 & 0xff);
    }
    symbols_ = 0;
    bits_ = 0;
}

void transfer_decoder::quoted_printable(std::string_view encoded, std::string& out) {
    for (const char c : encoded) quoted_byte(c, out);
}

// held_ is empty, a run of blanks, or an escape: "=", "=" blanks, "=" blanks CR, "=" one hex digit.
void transfer_decoder::quoted_byte(char c, std::string& out) {
    if (!held_.empty() && held_.front() == '=') {
        const char last = held_.back();
        if (c == '\n' && hex_value(last) < 0) {   // soft line break, blanks before the line end allowed
            held_.clear();
            return;
        }
        if (last == '\r' || hex_value(last) >= 0 || c == '\r' || c == ' ' || c == '\t' || hex_value(c) >= 0) {
            const bool first_digit = held_ == "=" && hex_value(c) >= 0;
            const bool line_end = hex_value(last) < 0 && last != '\r' && (c == '\r' || c == ' ' || c == '\t');
            if ((first_digit || line_end) && held_.size() < held_blanks_max) {
                held_ += c;
                return;
            }
            if (held_.size() == 2 && hex_value(last) >= 0 && hex_value(c) >= 0) {
                out += static_cast<char>(hex_value(last) << 4 | hex_value(c));
                held_.clear();
                return;
            }
        }
        out += held_;   // no escape after all: the text as it is
        held_.clear();
    }
    if (c == '=') {
        out += held_;
        held_ = '=';
    } else if (c == ' ' || c == '\t') {
        if (held_.size() >= held_blanks_max) {
            out += held_;
            held_.clear();
        }
        held_ += c;
    } else if (c == '\r' && (held_.empty() || held_.back() != '\r')) {
        held_ += c;   // blanks before CRLF were added on the way (RFC 2045 section 6.7, rule 3)
    } else if (c == '\n') {
        out += !held_.empty() && held_.back() == '\r' ? "\r\n" : "\n";
        held_.clear();
    } else {
        out += held_;
        held_.clear();
        if (c == '\r') held_ += c;
        else out += c;
    }
}

}  // namespace pp::imap

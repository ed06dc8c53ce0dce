// Text forms of bytes: hex, and base32, base64, base64url of RFC 4648. Decoders are strict, so that each byte string
// has one text only (base32 and hex in two cases): what is compared as text is then compared as bytes too.
#include "crypto/bytes.hpp"

#include <array>

namespace pp::crypto {

namespace {

constexpr std::string_view hex_alphabet = "0123456789abcdef";
constexpr std::string_view base32_alphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t foreign = 0xff;
using value_table = std::array<std::uint8_t, 256>;

constexpr value_table values_of(std::string_view alphabet, bool both_cases) {
    value_table table{};
    table.fill(foreign);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        const char c = alphabet[i];
        table[static_cast<std::uint8_t>(c)] = static_cast<std::uint8_t>(i);
        if (both_cases && c >= 'a' && c <= 'z')
            table[static_cast<std::uint8_t>(c - 'a' + 'A')] = static_cast<std::uint8_t>(i);
    }
    return table;
}

constexpr value_table hex_values = values_of(hex_alphabet, true);
constexpr value_table base32_values = values_of(base32_alphabet, true);
constexpr value_table base64_values = values_of(base64_alphabet, false);
constexpr value_table base64url_values = values_of(base64url_alphabet, false);

// The characters for all bits of data, most significant bit first, the last one filled up with zero bits.
template <unsigned BitsPerCharacter>
std::string encode_bits(bytes_view data, std::string_view alphabet) {
    constexpr unsigned mask = (1u << BitsPerCharacter) - 1;
    std::string out;
    out.reserve((data.size() * 8 + BitsPerCharacter - 1) / BitsPerCharacter + 3);   // 3: room for base64's padding
    unsigned held = 0, held_bits = 0;
    for (const auto b : data) {
        held = (held << 8 | std::to_integer<unsigned>(b)) & 0xffff;
        held_bits += 8;
        while (held_bits >= BitsPerCharacter) {
            held_bits -= BitsPerCharacter;
            out.push_back(alphabet[held >> held_bits & mask]);
        }
    }
    if (held_bits > 0) out.push_back(alphabet[held << (BitsPerCharacter - held_bits) & mask]);
    return out;
}

// The reverse. A last character that adds no whole byte, or fill bits that are not zero, make a second text for the
// same bytes (RFC 4648 section 3.5) and are refused.
template <unsigned BitsPerCharacter>
result<bytes> decode_bits(std::string_view text, const value_table& values) {
    bytes out;
    out.reserve(text.size() * BitsPerCharacter / 8);
    unsigned held = 0, held_bits = 0;
    for (const char c : text) {
        const auto value = values[static_cast<std::uint8_t>(c)];
        if (value == foreign) return errc::bad_text;
        held = (held << BitsPerCharacter | value) & 0xffff;
        held_bits += BitsPerCharacter;
        if (held_bits >= 8) {
            held_bits -= 8;
            out.push_back(static_cast<std::byte>(held >> held_bits & 0xff));
        }
    }
    if (held_bits >= BitsPerCharacter) return errc::bad_text;
    if ((held & ((1u << held_bits) - 1)) != 0) return errc::bad_text;
    return out;
}

}  // namespace

std::string hex(bytes_view data) { return encode_bits<4>(data, hex_alphabet); }

result<bytes> from_hex(std::string_view text) { return decode_bits<4>(text, hex_values); }

std::string base32(bytes_view data) { return encode_bits<5>(data, base32_alphabet); }

result<bytes> from_base32(std::string_view text) { return decode_bits<5>(text, base32_values); }

std::string base64(bytes_view data) {
    std::string out = encode_bits<6>(data, base64_alphabet);
    while (out.size() % 4 != 0) out.push_back('=');
    return out;
}

result<bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return errc::bad_text;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    text.remove_suffix(padding);   // too much or too little of it leaves a count of characters that decode_bits refuses
    return decode_bits<6>(text, base64_values);
}

std::string base64url(bytes_view data) { return encode_bits<6>(data, base64url_alphabet); }

result<bytes> from_base64url(std::string_view text) { return decode_bits<6>(text, base64url_values); }

}  // namespace pp::crypto

#include "proto/wire/clean_text.hpp"

#include <cstdint>

namespace pp::wire {
namespace {

// Length of the clean character at the front; 0 when there is none.
std::size_t character_bytes(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto first = at(0);
    if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
    std::size_t n = 0;
    // of the second byte: no overlong form, no surrogate, nothing above U+10FFFF
    std::uint8_t low = 0x80, high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
        n = 2;
        if (first == 0xc2) low = 0xa0;      // U+0080 to U+009F are controls
    } else if (first >= 0xe0 && first <= 0xef) {
        n = 3;
        if (first == 0xe0) low = 0xa0;
        if (first == 0xed) high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
        n = 4;
        if (first == 0xf0) low = 0x90;
        if (first == 0xf4) high = 0x8f;
    }
    if (n == 0 || text.size() < n || at(1) < low || at(1) > high) return 0;
    for (std::size_t i = 2; i < n; ++i)
        if (at(i) < 0x80 || at(i) > 0xbf) return 0;
    return n;
}

}  // namespace

bool is_clean_text(std::string_view text) {
    while (!text.empty()) {
        const auto n = character_bytes(text);
        if (n == 0) return false;
        text.remove_prefix(n);
    }
    return true;
}

std::string clean_text(std::string_view text, std::size_t bytes_max) {
    std::string out;
    while (!text.empty()) {
        const auto n = character_bytes(text);
        const auto piece = n == 0 ? std::string_view("?") : text.substr(0, n);
        if (out.size() + piece.size() > bytes_max) break;
        out += piece;
        text.remove_prefix(n == 0 ? 1 : n);
    }
    return out;
}

}  // namespace pp::wire

// Flags and keywords of a message (RFC 9051 section 2.3.2).
#include "proto/mail/flags.hpp"

#include "proto/mail/ascii.hpp"

#include <algorithm>

namespace pp::mail {
namespace {

bool before(std::string_view a, std::string_view b) { return ascii::compare_no_case(a, b) < 0; }

}  // namespace

bool flags::has(std::string_view keyword) const {
    const auto at = std::lower_bound(keywords.begin(), keywords.end(), keyword, before);
    return at != keywords.end() && ascii::equal_no_case(*at, keyword);
}

void flags::add(std::string_view keyword) {
    const auto at = std::lower_bound(keywords.begin(), keywords.end(), keyword, before);
    if (at == keywords.end() || !ascii::equal_no_case(*at, keyword)) keywords.insert(at, std::string(keyword));
}

void flags::remove(std::string_view keyword) {
    const auto at = std::lower_bound(keywords.begin(), keywords.end(), keyword, before);
    if (at != keywords.end() && ascii::equal_no_case(*at, keyword)) keywords.erase(at);
}

void flags::add(const flags& other) {
    if (this == &other) return;
    system |= other.system;
    for (const auto& keyword : other.keywords) add(keyword);
}

void flags::remove(const flags& other) {
    if (this == &other) {
        *this = {};
        return;
    }
    system &= static_cast<std::uint8_t>(~other.system);
    for (const auto& keyword : other.keywords) remove(keyword);
}

// RFC 9051 section 9, flag-keyword: an atom, thus no atom-specials; "\" begins a system flag and may not be inside
// either (quoted-specials).
bool is_keyword(std::string_view text) {
    if (text.empty() || text.size() > keyword_bytes_max) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return !ascii::is_control(c) && !ascii::is_8bit(c) &&
               std::string_view("(){ %*\"\\]").find(c) == std::string_view::npos;
    });
}

}  // namespace pp::mail

// The bare address of SMTP: Mailbox of RFC 5321 section 4.1.2, with the UTF-8 of RFC 6531 section 3.3.
#include "proto/mail/address.hpp"

#include "proto/mail/ascii.hpp"

#include <algorithm>

namespace pp::mail {
namespace {

constexpr std::size_t label_bytes_max = 63;   // RFC 1035 section 2.3.4

// Walks well-formed UTF-8; every ASCII byte must satisfy `ascii_ok`.
template <class Accept>
bool all_of(std::string_view text, bool allow_utf8, Accept ascii_ok) {
    while (!text.empty()) {
        const auto length = ascii::utf8_sequence(text);
        if (length == 0 || (length == 1 ? !ascii_ok(text.front()) : !allow_utf8)) return false;
        text.remove_prefix(length);
    }
    return true;
}

bool is_dot_string(std::string_view text, bool allow_utf8) {
    if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != text.npos) return false;
    return all_of(text, allow_utf8, [](char c) { return c == '.' || ascii::is_atext(c); });
}

// Quoted-string with its quotes to the local part it means; empty result: not well formed.
result<std::string> unquote(std::string_view text, bool allow_utf8) {
    std::string out;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        if (text[i] == '\\' && ++i + 1 >= text.size()) return errc::bad_local_part;
        out += text[i];
    }
    if (out.empty()) return errc::empty_local_part;
    if (!all_of(out, allow_utf8, [](char c) { return !ascii::is_control(c); })) return errc::bad_local_part;
    return out;
}

// sub-domain *("." sub-domain); labels of letters, digits and inner hyphens (and UTF-8: U-labels).
bool is_domain(std::string_view text, bool allow_utf8) {
    while (true) {
        const auto dot = text.find('.');
        const auto label = text.substr(0, dot);
        if (label.empty() || label.size() > label_bytes_max) return false;
        if (label.front() == '-' || label.back() == '-') return false;
        if (!all_of(label, allow_utf8, [](char c) { return c == '-' || ascii::is_alnum(c); })) return false;
        if (dot == text.npos) return true;
        text.remove_prefix(dot + 1);
    }
}

// RFC 5321 section 4.1.3. What stands between the brackets is no name of ours to resolve: only its bytes are checked.
bool is_address_literal(std::string_view text) {
    if (text.size() < 3 || text.front() != '[' || text.back() != ']') return false;
    const auto inside = text.substr(1, text.size() - 2);
    return std::all_of(inside.begin(), inside.end(),
                       [](char c) { return ascii::is_alnum(c) || c == '.' || c == ':' || c == '-'; });
}

// The @ that parts local part and domain: the first one outside the quoted string.
std::size_t find_at(std::string_view text) {
    if (text.empty() || text.front() != '"') return text.find('@');
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\') ++i;
        else if (text[i] == '"') return i + 1 < text.size() && text[i + 1] == '@' ? i + 1 : text.npos;
    }
    return text.npos;
}

}  // namespace

std::string address::text() const {
    if (is_dot_string(local, true)) return local + '@' + domain;
    std::string quoted = "\"";
    for (const char c : local) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "\"@" + domain;
}

result<address> parse_address(std::string_view text, bool allow_utf8) {
    const auto at = find_at(text);
    if (at == 0 || text.empty()) return errc::empty_local_part;
    if (at == text.npos) return text.front() == '"' ? errc::bad_local_part : errc::bad_domain;
    const auto local = text.substr(0, at), domain = text.substr(at + 1);

    address parsed;
    if (local.front() == '"') {
        auto unquoted = unquote(local, allow_utf8);
        if (!unquoted) return unquoted.error();
        parsed.local = std::move(*unquoted);
    } else {
        if (!is_dot_string(local, allow_utf8)) return errc::bad_local_part;
        parsed.local = local;
    }
    if (local.size() > local_part_bytes_max) return errc::bad_local_part;
    if (domain.size() > domain_bytes_max || !(is_domain(domain, allow_utf8) || is_address_literal(domain)))
        return errc::bad_domain;
    parsed.domain = domain;
    std::transform(parsed.domain.begin(), parsed.domain.end(), parsed.domain.begin(), ascii::lower);
    return parsed;
}

}  // namespace pp::mail

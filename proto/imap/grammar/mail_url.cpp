#include "proto/imap/grammar/mail_url.hpp"

#include "proto/imap/fetch/fetch_items.hpp"
#include "proto/imap/grammar/response.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/transfer_encoding.hpp"

#include <charconv>
#include <limits>

namespace pp::imap {

namespace {

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? mail::hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? mail::hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return out;
}

template <class Number>
std::optional<Number> number_of(std::string_view digits) {
    Number value = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failed != std::errc() || end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
    return value;
}

// Takes "<word>=" from the front; case does not matter.
bool take_label(std::string_view& text, std::string_view word) {
    if (text.size() <= word.size() || !equal_case(text.substr(0, word.size()), word) || text[word.size()] != '=')
        return false;
    text.remove_prefix(word.size() + 1);
    return true;
}

bool set_section(std::string_view value, mail_url& url) {
    auto decoded = percent_decoded(value);
    if (!decoded || decoded->empty()) return false;
    *decoded += ']';
    parser args(*decoded);
    url.section = parse_section(args);
    args.end();
    return !args.failed();
}

// partial-range = number ["." nz-number]
bool set_partial(std::string_view value, mail_url& url) {
    const auto dot = value.find('.');
    const auto offset = number_of<std::uint64_t>(value.substr(0, dot));
    const auto count = dot == value.npos ? std::numeric_limits<std::uint64_t>::max()
                                         : number_of<std::uint64_t>(value.substr(dot + 1)).value_or(0);
    if (!offset || count == 0) return false;
    url.partial = fetch_partial{*offset, count};
    return true;
}

}  // namespace

std::optional<mail_url> parse_mail_url(std::string_view text) {
    mail_url url;
    if (text.starts_with("//")) return std::nullopt;      // another server
    if (text.starts_with('/')) text.remove_prefix(1);
    // The mailbox ends where ";UIDVALIDITY" or "/;UID" begins: ";" never stands bare in its name.
    const auto semicolon = text.find(';');
    if (semicolon == text.npos) return std::nullopt;
    auto name = text.substr(0, semicolon);
    text.remove_prefix(semicolon + 1);
    // absolute
    if (name.find(':') != name.npos && name.substr(name.find(':')).starts_with("://")) return std::nullopt;
    if (name.ends_with('/')) {
        name.remove_suffix(1);
        if (name.empty()) return std::nullopt;
    } else if (take_label(text, "UIDVALIDITY")) {
        const auto end = text.find("/;");
        url.uid_validity = number_of<std::uint32_t>(text.substr(0, end));
        if (name.empty() || end == text.npos || !url.uid_validity || *url.uid_validity == 0) return std::nullopt;
        text.remove_prefix(end + 2);
    } else if (!name.empty()) {
        return std::nullopt;
    }
    auto mailbox = percent_decoded(name);
    if (!mailbox || !mail::is_valid_utf8(*mailbox) || mailbox->find('\0') != mailbox->npos) return std::nullopt;
    url.mailbox = equal_case(*mailbox, "INBOX") ? "INBOX" : mail::normal_form(*mailbox);

    if (!take_label(text, "UID")) return std::nullopt;
    const auto next = [&text] {
        const auto end = text.find("/;");
        const auto value = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 2);
        return value;
    };
    const auto uid = number_of<std::uint32_t>(next());
    if (!uid || *uid == 0) return std::nullopt;
    url.uid = *uid;
    if (take_label(text, "SECTION") && !set_section(next(), url)) return std::nullopt;
    if (take_label(text, "PARTIAL") && !set_partial(next(), url)) return std::nullopt;
    if (!text.empty()) return std::nullopt;
    return url;
}

}  // namespace pp::imap

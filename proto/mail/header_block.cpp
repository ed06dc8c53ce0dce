// Header blocks: unfolding (RFC 5322 section 2.2.3), the subsets of FETCH (RFC 9051 section 6.4.5.1, HEADER.FIELDS),
// the values of one field. A line ends with LF or CRLF; a line that begins with a blank continues its field.
#include "proto/mail/ascii.hpp"
#include "proto/mail/message_index.hpp"

#include <algorithm>
#include <iterator>

namespace pp::mail {
namespace {

std::string_view take_line(std::string_view& block) {
    const auto end = block.find('\n');
    const auto line = block.substr(0, end == block.npos ? end : end + 1);
    block.remove_prefix(line.size());
    return line;
}

// A field with its continuation lines; the empty line at the end of a header is a "field" of its own.
std::string_view take_field(std::string_view& block) {
    const auto begin = block;
    auto length = take_line(block).size();
    while (!block.empty() && ascii::is_blank(block.front())) length += take_line(block).size();
    return begin.substr(0, length);
}

bool is_blank_line(std::string_view field) { return field == "\r\n" || field == "\n"; }

std::string_view name_of(std::string_view field) {
    const auto colon = field.find(':');
    if (colon == field.npos) return {};
    // RFC 5322 section 4.5: blanks before the colon are obsolete, not wrong
    return ascii::trim(field.substr(0, colon));
}

}  // namespace

bool is_listed_field(std::string_view name) {
    // What the clients of 05-mail-protocols 5.5, and webmailers, ask for in lists.
    static constexpr std::string_view listed[] = {
        "BCC", "CC", "CONTENT-DESCRIPTION", "CONTENT-TYPE", "DATE", "DELIVERED-TO", "DISPOSITION-NOTIFICATION-TO",
        "ENVELOPE-TO", "FROM", "IMPORTANCE", "IN-REPLY-TO", "LINES", "LIST-ID", "LIST-POST", "LIST-SUBSCRIBE",
        "LIST-UNSUBSCRIBE", "MAIL-FOLLOWUP-TO", "MESSAGE-ID", "NEWSGROUPS", "PRIORITY", "RECEIVED", "REFERENCES",
        "REPLY-TO", "RESENT-DATE", "RESENT-FROM", "RESENT-TO", "RETURN-PATH", "SENDER", "SUBJECT", "TO", "X-LABEL",
        "X-ORIGINAL-TO", "X-PRIORITY", "X-UNIFORM-TYPE-IDENTIFIER", "X-UNIVERSALLY-UNIQUE-IDENTIFIER"};
    constexpr auto before = [](std::string_view a, std::string_view b) { return ascii::compare_no_case(a, b) < 0; };
    static_assert(std::is_sorted(std::begin(listed), std::end(listed), before));
    return std::binary_search(std::begin(listed), std::end(listed), name, before);
}

std::string unfold(std::string_view raw_value) {
    std::string out;
    out.reserve(raw_value.size());
    for (std::size_t i = 0; i < raw_value.size(); ++i) {
        const char c = raw_value[i];
        if (c == '\n' || c == '\0') continue;   // NUL may be in no IMAP string (RFC 9051 section 9, CHAR8)
        if (c == '\r' && (i + 1 == raw_value.size() || raw_value[i + 1] == '\n')) continue;
        out += c;
    }
    return std::string(ascii::trim(out));
}

std::string filter_header_fields(std::string_view header_block, std::span<const std::string> names, bool exclude) {
    // Both the names and the fields may be thousands: sorted names keep the product small.
    std::vector<std::string_view> sorted(names.begin(), names.end());
    const auto before = [](std::string_view a, std::string_view b) { return ascii::compare_no_case(a, b) < 0; };
    std::sort(sorted.begin(), sorted.end(), before);

    std::string out;
    while (!header_block.empty()) {
        const auto field = take_field(header_block);
        if (is_blank_line(field)) return out.append(field);
        const auto name = name_of(field);
        const bool named = !name.empty() && std::binary_search(sorted.begin(), sorted.end(), name, before);
        if (named != exclude) out += field;
    }
    // RFC 9051 section 6.4.5.1: no blank line where the mail ends with its header and has none.
    if (!out.empty() && out.back() != '\n') out += "\r\n";
    return out;
}

std::vector<std::string> header_values(std::string_view header_block, std::string_view name) {
    std::vector<std::string> out;
    while (!header_block.empty()) {
        const auto field = take_field(header_block);
        if (is_blank_line(field)) break;
        const auto own_name = name_of(field);
        if (own_name.empty() || !ascii::equal_no_case(own_name, name)) continue;
        out.push_back(unfold(field.substr(field.find(':') + 1).substr(0, header_field_bytes_max)));
        if (out.size() == header_lines_max) break;
    }
    return out;
}

}  // namespace pp::mail

#include "proto/imap/grammar/response.hpp"

#include "proto/imap/grammar/parser.hpp"
#include "proto/mail/charset.hpp"

#include <algorithm>

namespace pp::imap {

namespace {
constexpr std::size_t quoted_bytes_max = 1000;   // longer ones go as a literal: some clients read lines into a buffer

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
}  // namespace

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = upper(c);
    return out;
}

bool equal_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return upper(x) == upper(y); });
}

std::string string_text(std::string_view value, bool utf8) {
    bool eight_bit = false, quotable = value.size() <= quoted_bytes_max;
    for (const char c : value) {
        eight_bit |= static_cast<unsigned char>(c) >= 0x80;
        quotable &= c != '\r' && c != '\n' && c != '\0';
    }
    if (eight_bit) quotable = quotable && utf8 && mail::is_valid_utf8(value);
    if (!quotable) return '{' + std::to_string(value.size()) + "}\r\n" + std::string(value);
    std::string out = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string astring_text(std::string_view value, bool utf8) {
    const bool plain = !value.empty() && !equal_case(value, "NIL") && value.size() <= quoted_bytes_max &&
                       std::all_of(value.begin(), value.end(), is_astring_char);
    return plain ? std::string(value) : string_text(value, utf8);
}

std::string mailbox_text(std::string_view utf8_name, bool utf8) {
    return utf8 ? astring_text(utf8_name, true) : astring_text(mail::to_modified_utf7(utf8_name));
}

std::string flag_list_text(const mail::flags& flags, bool recent) {
    std::string out = "(";
    const auto add = [&out](std::string_view name) {
        if (out.size() > 1) out += ' ';
        out += name;
    };
    if (flags.system & mail::answered) add("\\Answered");
    if (flags.system & mail::flagged) add("\\Flagged");
    if (flags.system & mail::deleted) add("\\Deleted");
    if (flags.system & mail::seen) add("\\Seen");
    if (flags.system & mail::draft) add("\\Draft");
    if (recent) add("\\Recent");
    for (const auto& keyword : flags.keywords) add(keyword);
    return out + ')';
}

std::string line_text(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return out.empty() ? "Done" : out;
}

std::string mailbox_id_text(std::uint64_t mailbox) { return "(F" + std::to_string(mailbox) + ')'; }

std::string use_text(special_use use) {
    switch (use) {
    case special_use::none: return {};
    case special_use::all: return "\\All";
    case special_use::archive: return "\\Archive";
    case special_use::drafts: return "\\Drafts";
    case special_use::flagged: return "\\Flagged";
    case special_use::junk: return "\\Junk";
    case special_use::sent: return "\\Sent";
    case special_use::trash: return "\\Trash";
    }
    return {};
}

}  // namespace pp::imap

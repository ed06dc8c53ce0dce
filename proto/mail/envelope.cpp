// Strings and the ENVELOPE as IMAP writes them (RFC 9051 sections 4.3, 7.5.2 and 9).
#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/message_index.hpp"

#include <algorithm>

namespace pp::mail {
namespace {

bool fits_quoted(std::string_view text, bool utf8) {
    const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
        return c == '\r' || c == '\n' || c == '\0' || ascii::is_8bit(c);
    });
    if (plain || !utf8) return plain;
    return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos && is_valid_utf8(text);
}

void append_string(std::string& out, std::string_view text, bool utf8) {
    if (fits_quoted(text, utf8)) {
        out += '"';
        for (const char c : text) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
        return;
    }
    out.append("{").append(std::to_string(text.size())).append("}\r\n");
    // RFC 9051 section 9: a literal has CHAR8, which is any byte but NUL.
    std::replace_copy(text.begin(), text.end(), std::back_inserter(out), '\0', '?');
}

void append_nstring(std::string& out, const std::optional<std::string>& text, bool utf8) {
    if (text) append_string(out, *text, utf8);
    else out += "NIL";
}

void append_addresses(std::string& out, const std::vector<header_address>& list, bool utf8) {
    if (list.empty()) {
        out += " NIL";
        return;
    }
    out += " (";
    for (const auto& a : list) {
        out += '(';
        append_nstring(out, a.name, utf8);
        out += ' ';
        append_nstring(out, a.route, utf8);
        out += ' ';
        append_nstring(out, a.mailbox, utf8);
        out += ' ';
        append_nstring(out, a.host, utf8);
        out += ')';
    }
    out += ')';
}

}  // namespace

std::string imap_string(std::string_view text, bool utf8) {
    std::string out;
    append_string(out, text, utf8);
    return out;
}

std::string imap_nstring(const std::optional<std::string>& text, bool utf8) {
    std::string out;
    append_nstring(out, text, utf8);
    return out;
}

std::string imap_envelope(const envelope& e, bool utf8) {
    std::string out = "(";
    append_nstring(out, e.date, utf8);
    out += ' ';
    append_nstring(out, e.subject, utf8);
    for (const auto* list : {&e.from, &e.sender, &e.reply_to, &e.to, &e.cc, &e.bcc}) append_addresses(out, *list, utf8);
    out += ' ';
    append_nstring(out, e.in_reply_to, utf8);
    out += ' ';
    append_nstring(out, e.message_id, utf8);
    return out += ')';
}

}  // namespace pp::mail

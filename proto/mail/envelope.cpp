// Strings and the ENVELOPE as IMAP writes them (RFC 9051 sections 4.3, 7.5.2 and 9).
#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/message_index.hpp"

#include <algorithm>

namespace pp::mail {
namespace {

enum class form : std::uint8_t { bare, escaped, utf8, literal };   // bare: between quotes just as it is

form form_of(std::string_view text) {
    bool escaped = false, eight = false;
    for (const char c : text) {
        if (c == '\r' || c == '\n' || c == '\0') return form::literal;
        escaped = escaped || c == '"' || c == '\\';
        eight = eight || ascii::is_8bit(c);
    }
    return eight ? form::utf8 : escaped ? form::escaped : form::bare;
}

void append_string(std::string& out, std::string_view text, bool utf8) {
    const auto how = form_of(text);
    if (how == form::bare) {
        out += '"';
        out += text;
        out += '"';
        return;
    }
    if (how == form::escaped || (how == form::utf8 && utf8 && is_valid_utf8(text))) {
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

template <class S>
void append_nstring(std::string& out, const std::optional<S>& text, bool utf8) {
    if (text) append_string(out, *text, utf8);
    else out += "NIL";
}

template <class S>
void append_addresses(std::string& out, const std::vector<basic_header_address<S>>& list, bool utf8) {
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

void append_imap_string(std::string& out, std::string_view text, bool utf8) { append_string(out, text, utf8); }

std::string imap_string(std::string_view text, bool utf8) {
    std::string out;
    append_string(out, text, utf8);
    return out;
}

template <class S>
void append_envelope(std::string& out, const basic_envelope<S>& e, bool utf8) {
    out += '(';
    append_nstring(out, e.date, utf8);
    out += ' ';
    append_nstring(out, e.subject, utf8);
    for (const auto* list : {&e.from, &e.sender, &e.reply_to, &e.to, &e.cc, &e.bcc}) append_addresses(out, *list, utf8);
    out += ' ';
    append_nstring(out, e.in_reply_to, utf8);
    out += ' ';
    append_nstring(out, e.message_id, utf8);
    out += ')';
}
template void append_envelope(std::string&, const envelope&, bool);
template void append_envelope(std::string&, const basic_envelope<std::string_view>&, bool);

std::string imap_envelope(const envelope& e, bool utf8) {
    std::string out;
    append_envelope(out, e, utf8);
    return out;
}

}  // namespace pp::mail

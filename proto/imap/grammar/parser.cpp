#include "proto/imap/grammar/parser.hpp"

#include "proto/imap/grammar/response.hpp"
#include "proto/mail/charset.hpp"

#include <limits>

namespace pp::imap {

bool is_atom_char(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f) return false;
    return c != '(' && c != ')' && c != '{' && c != '%' && c != '*' && c != '"' && c != '\\' && c != ']';
}
bool is_astring_char(char c) { return is_atom_char(c) || c == ']'; }

namespace {
bool is_list_char(char c) { return is_astring_char(c) || c == '%' || c == '*'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
}  // namespace

void parser::fail(std::string_view sentence) {
    if (error_.empty()) error_ = sentence;
}

void parser::fail_as_impossible(std::string_view sentence) {
    if (error_.empty()) impossible_ = true;
    fail(sentence);
}

bool parser::take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
}

bool parser::take_word(std::string_view word) {
    const auto left = rest();
    if (left.size() < word.size() || !equal_case(left.substr(0, word.size()), word)) return false;
    if (left.size() > word.size() && is_atom_char(left[word.size()])) return false;
    at_ += word.size();
    return true;
}

void parser::expect(char c) {
    if (take(c)) return;
    if (c == ' ')
        fail(at_end() ? "An argument is missing" : "A space is missing");
    else
        fail(std::string("Expected ") + c);
}

void parser::end() {
    if (!at_end()) fail("Too many arguments");
}

bool parser::enter() {
    if (failed()) return false;
    if (++depth_ > nesting_max) {
        fail("Nested too deep");
        return false;
    }
    return true;
}

bool parser::count_argument() {
    if (failed()) return false;
    if (++arguments_ > arguments_max) {
        fail("Too many arguments");
        return false;
    }
    return true;
}

std::string parser::atom() {
    if (!count_argument()) return {};
    const auto begin = at_;
    while (at_ < text_.size() && is_atom_char(text_[at_])) ++at_;
    if (at_ == begin) fail("A word is missing");
    return std::string(text_.substr(begin, at_ - begin));
}

std::string parser::keyword() { return upper(atom()); }

std::string parser::quoted_or_literal() {
    if (!count_argument()) return {};
    std::string value;
    if (take('"')) {
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '\r' || text_[at_] == '\n' || text_[at_] == '\0') break;   // no QUOTED-CHAR
            if (text_[at_] == '\\') {
                ++at_;
                if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '\\')) break;
            }
            value += text_[at_++];
        }
        if (!take('"')) fail("A quoted string does not end");
        if (utf8_ && !failed() && !mail::is_valid_utf8(value)) fail("A quoted string is not UTF-8");
        return failed() ? std::string() : value;
    }
    return literal(false);
}

std::string parser::literal(bool with_nul) {
    if (!take('{')) {
        fail("A string is missing");
        return {};
    }
    // The reader let only complete literals through, so this fails only on a "{" that is no literal at all.
    std::uint64_t size = 0;
    const auto begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_]) && size <= text_.size())
        size = size * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
    const bool any = at_ > begin;
    take('+');
    if (!any || !take('}') || !take('\r') || !take('\n') || size > text_.size() - at_) {
        fail("A literal is not well formed");
        return {};
    }
    std::string value(text_.substr(at_, size));
    at_ += size;
    // RFC 9051 section 9: CHAR8 of a literal is any octet but NUL.
    if (!with_nul && value.find('\0') != value.npos) fail("A literal may not contain NUL");
    return failed() ? std::string() : value;
}

std::string parser::astring() {
    if (at_string()) return quoted_or_literal();
    if (!count_argument()) return {};
    const auto begin = at_;
    while (at_ < text_.size() && is_astring_char(text_[at_])) ++at_;
    if (at_ == begin) fail("An argument is missing");
    return std::string(text_.substr(begin, at_ - begin));
}

std::optional<std::string> parser::nstring() {
    if (take_word("NIL")) {
        count_argument();
        return std::nullopt;
    }
    return quoted_or_literal();
}

std::optional<std::string> parser::nstring8() {
    if (peek() != '~') return nstring();
    if (!count_argument()) return std::string();
    take('~');
    return literal(true);
}

std::uint64_t parser::number64() {
    if (!count_argument()) return 0;
    std::uint64_t value = 0;
    const auto begin = at_;
    constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());   // RFC 9051 section 9
    while (at_ < text_.size() && is_digit(text_[at_])) {
        const auto digit = static_cast<std::uint64_t>(text_[at_] - '0');
        if (value > (max - digit) / 10) {
            fail("A number is too large");
            return 0;
        }
        value = value * 10 + digit;
        ++at_;
    }
    if (at_ == begin) fail("A number is missing");
    return value;
}

std::uint32_t parser::number() {
    const auto value = number64();
    if (value > std::numeric_limits<std::uint32_t>::max()) fail("A number is too large");
    return failed() ? 0 : static_cast<std::uint32_t>(value);
}

std::uint32_t parser::nz_number() {
    const auto value = number();
    if (value == 0) fail("A number must not be zero");
    return value;
}

sequence_set parser::sequence() {
    if (!count_argument()) return {};
    const auto begin = at_;
    if (!take('$'))
        while (at_ < text_.size() &&
               (is_digit(text_[at_]) || text_[at_] == ':' || text_[at_] == ',' || text_[at_] == '*'))
            ++at_;
    if (at_ == begin) fail("A set of message numbers is missing");
    return {std::string(text_.substr(begin, at_ - begin))};
}

namespace {
// RFC 6855 section 3: C1 controls and the line and paragraph separators, in UTF-8.
bool has_separator(std::string_view name) {
    for (std::size_t i = 0; i + 1 < name.size(); ++i) {
        const auto first = static_cast<unsigned char>(name[i]), second = static_cast<unsigned char>(name[i + 1]);
        if (first == 0xc2 && second >= 0x80 && second < 0xa0) return true;
    }
    return name.find("\xe2\x80\xa8") != name.npos || name.find("\xe2\x80\xa9") != name.npos;
}
}  // namespace

std::string parser::decoded_name(std::string name, bool utf8) {
    bool eight_bit = false;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        eight_bit |= byte >= 0x80;
        if (byte < 0x20 || byte == 0x7f) {
            fail_as_impossible("A mailbox name may not contain control characters");
            return {};
        }
    }
    if (eight_bit && !mail::is_valid_utf8(name)) {
        fail("A mailbox name is not UTF-8");
        return {};
    }
    // Departure: RFC 3501 has no 8-bit names; what is valid UTF-8 can only be meant as such.
    if (!utf8 && !eight_bit) {
        auto decoded = mail::from_modified_utf7(name);
        if (!decoded) {
            fail("A mailbox name is not in modified UTF-7");
            return {};
        }
        name = *std::move(decoded);
    }
    if (name.size() > mailbox_name_bytes_max) {
        fail_as_impossible("A mailbox name is too long");
        return {};
    }
    return name;
}

void capital_inbox(std::string& name) {
    const auto first = std::string_view(name).substr(0, name.find('/'));
    if (equal_case(first, "INBOX")) name.replace(0, first.size(), "INBOX");
}

std::string parser::mailbox(bool utf8) {
    auto name = decoded_name(astring(), utf8);
    if (failed()) return {};
    // RFC 9051 section 6.3.4: a trailing delimiter only declares an intention; Thunderbird and Outlook send it.
    if (name.ends_with('/')) name.pop_back();
    for (const char c : name)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            fail_as_impossible("A mailbox name may not contain control characters");
    if (has_separator(name)) fail_as_impossible("A mailbox name may not contain control characters");
    if (name.empty() || name.front() == '/' || name.back() == '/' || name.find("//") != name.npos)
        fail_as_impossible("A mailbox name has an empty level");
    if (failed()) return {};
    capital_inbox(name);
    // RFC 9051 section 5.1: names are in Net-Unicode, whichever way the letters were written.
    auto normal = mail::normal_form(name);
    written_ = normal == name ? std::string() : std::move(name);
    return normal;
}

std::string parser::list_pattern(bool utf8) {
    std::string pattern;
    if (at_string()) {
        pattern = quoted_or_literal();
    } else {
        if (!count_argument()) return {};
        const auto begin = at_;
        while (at_ < text_.size() && is_list_char(text_[at_])) ++at_;
        if (at_ == begin) fail("A mailbox pattern is missing");
        pattern = text_.substr(begin, at_ - begin);
    }
    return mail::normal_form(decoded_name(std::move(pattern), utf8));
}

void parser::flag(mail::flags& into) {
    const bool system = take('\\');
    const auto name = atom();
    if (failed()) return;
    if (!system) {
        if (!mail::is_keyword(name) || name.size() > mail::keyword_bytes_max) return fail("A keyword is not valid");
        into.add(name);
        if (into.keywords.size() > mail::keywords_per_message_max) fail("Too many keywords");
        return;
    }
    if (equal_case(name, "Seen")) into.system |= mail::seen;
    else if (equal_case(name, "Answered")) into.system |= mail::answered;
    else if (equal_case(name, "Flagged")) into.system |= mail::flagged;
    else if (equal_case(name, "Deleted")) into.system |= mail::deleted;
    else if (equal_case(name, "Draft")) into.system |= mail::draft;
    // Departure: RFC 3501 section 2.3.2 forbids to set \Recent; offlineimap sends back what it was shown.
    else if (!equal_case(name, "Recent")) fail("Unknown system flag");
}

mail::flags parser::flag_list() {
    mail::flags all;
    expect('(');
    if (take(')')) return all;
    do flag(all);
    while (take(' '));
    expect(')');
    return all;
}

mail::flags parser::flags_bare() {
    mail::flags all;
    do flag(all);
    while (rest().size() > 1 && rest()[1] != '(' && take(' '));
    return all;
}

mail::date_time parser::date_time() {
    if (peek() != '"') fail("A date is missing");
    const auto at = mail::parse_internal_date(quoted_or_literal());
    if (!at) fail("A date is not valid");
    return failed() ? mail::date_time() : *at;
}

}  // namespace pp::imap

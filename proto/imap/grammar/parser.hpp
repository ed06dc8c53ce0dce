// Reads the arguments of one command (RFC 9051 section 9, RFC 3501 section 9). The text is the whole command; literals
// stand in it as they came: "{5}\r\nhello". The first error sticks: after it every function returns an empty value, so
// a command reads all it expects, calls end() and looks at failed() once.
#pragma once

#include "proto/imap/limits.hpp"
#include "proto/mail/date.hpp"
#include "proto/mail/flags.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pp::imap {

// A sequence-set as written, not resolved yet (selected_mailbox::resolve does). "$" is RFC 5182.
struct sequence_set {
    std::string text;
    bool saved_result() const { return text == "$"; }
};

class parser {
public:
    parser() = default;
    explicit parser(std::string_view text) : text_(text) {}

    bool failed() const { return !error_.empty(); }
    const std::string& error() const { return error_; }   // one short sentence for BAD
    void fail(std::string_view sentence);                 // the first one wins
    // Well formed, but it can never be done (RFC 5530, CANNOT): NO instead of BAD.
    void fail_as_impossible(std::string_view sentence);
    bool impossible() const { return impossible_; }

    // RFC 6855 section 3: quoted strings are UTF-8; octets that are not fail.
    void expect_utf8(bool on) { utf8_ = on; }
    bool expects_utf8() const { return utf8_; }

    // Looking ahead. peek() is NUL at the end and after a failure.
    bool at_end() const { return failed() || at_ == text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[at_]; }
    std::string_view rest() const { return failed() ? std::string_view() : text_.substr(at_); }

    bool take(char c);                       // consumes c when it is next
    bool take_word(std::string_view word);   // the same for an atom; without case; the atom must end there
    void expect(char c);                     // fails when c is not next
    void space() { expect(' '); }
    void end();                              // fails when something is left

    // Parentheses and other recursion: enter() fails beyond nesting_max.
    bool enter();
    void leave() { --depth_; }

    std::string atom();                      // 1*ATOM-CHAR, as written; '\\' and ']' excluded as in the grammar
    std::string keyword();                   // an atom in capitals: names of items, options, criteria
    std::string quoted_or_literal();         // string
    std::string astring();
    std::optional<std::string> nstring();    // nullopt: NIL
    std::optional<std::string> nstring8();   // the same, or literal8, which may contain NUL
    bool at_string() const { return peek() == '"' || peek() == '{'; }
    std::uint32_t number();                  // 0 .. 2^32-1
    std::uint32_t nz_number();
    std::uint64_t number64();                // 0 .. 2^63-1 (number64, mod-sequence-valzer)
    sequence_set sequence();

    // A mailbox name in UTF-8, INBOX in capitals, one trailing delimiter removed. utf8: names are UTF-8 on the wire
    // (IMAP4rev2 or UTF8=ACCEPT enabled), else modified UTF-7; raw 8-bit that is valid UTF-8 is taken in both.
    std::string mailbox(bool utf8);
    // The last mailbox() as it was written, where that is not the normal form, which is what mailbox() gives.
    const std::string& written_name() const { return written_; }
    // list-mailbox: also '%', '*' and ']' bare. INBOX as written: what it means stands behind a reference.
    std::string list_pattern(bool utf8);
    // "(" [flag *(SP flag)] ")". Flags that cannot be set are passed over (\Recent) or fail (unknown \Something).
    mail::flags flag_list();
    mail::flags flags_bare();                // flag *(SP flag), as STORE allows
    mail::date_time date_time();             // quoted, as in APPEND

private:
    bool count_argument();
    std::string literal(bool with_nul);
    void flag(mail::flags& into);
    std::string decoded_name(std::string name, bool utf8);

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t arguments_ = 0;
    unsigned depth_ = 0;
    bool utf8_ = false, impossible_ = false;
    std::string error_, written_;
};

// RFC 9051 section 5.1: INBOX is INBOX in any case; so is the first level of its children.
void capital_inbox(std::string& name);

bool is_atom_char(char c);                   // RFC 9051 section 9, ATOM-CHAR
bool is_astring_char(char c);                // ATOM-CHAR or ']'

}  // namespace pp::imap

// Text out of mail: transfer encodings, charsets, encoded words, modified UTF-7, case folding. Built on ICU.
#pragma once

#include "proto/mail/error.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace pp::mail {

// Charset to UTF-8; bytes that do not fit become U+FFFD. errc::unknown_charset.
result<std::string> to_utf8(std::string_view text, std::string_view charset);
bool is_valid_utf8(std::string_view text);

// RFC 2047 encoded words (and raw 8-bit, taken as UTF-8 or else Latin-1) to UTF-8. Never fails.
std::string decode_header_text(std::string_view unfolded_value);

// RFC 5051 i;unicode-casemap: what SEARCH compares.
std::string fold_case(std::string_view utf8);
// Normalization Form C, as RFC 5198 has text in.
std::string normal_form(std::string_view utf8);
// Latin, Greek and Cyrillic letters in those of ASCII; all else stays as it is.
std::string ascii_spelling(std::string_view utf8);
// Without what is not drawn: joiners, soft hyphens, marks of direction and the like.
std::string without_invisible(std::string_view utf8);
// The same for names that look the same, whatever alphabet their letters are of (Unicode Technical Standard 39, section
// 4); case counts. To compare, never to show.
std::string look_of(std::string_view utf8);
bool equal_ascii_case(std::string_view a, std::string_view b);

// Mailbox names: modified UTF-7 (RFC 3501 section 5.1.3) to and from UTF-8. errc::bad_encoding.
result<std::string> from_modified_utf7(std::string_view name);
std::string to_modified_utf7(std::string_view utf8);

std::string decode_base64_lenient(std::string_view text);    // skips what is no base64 character
std::string decode_quoted_printable(std::string_view text);

// Decoded UTF-8 text of one leaf part, from its encoded bytes in any pieces; memory stays bounded.
class text_decoder {
public:
    text_decoder(std::string_view transfer_encoding, std::string_view charset);   // unknown ones: bytes as they are
    ~text_decoder();
    text_decoder(text_decoder&&) noexcept;
    std::string update(std::string_view encoded);
    std::string finish();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pp::mail

// The first words of a mail as plain text (RFC 8970 section 3.2): for lists of mails. The same mail always gives the
// same words.
#pragma once

#include "proto/mail/message_index.hpp"

#include <string>
#include <string_view>

namespace pp::mail {

inline constexpr std::size_t preview_characters_max = 200;            // RFC 8970 section 3.2: 200 wanted, 256 at most
// of the encoded part; what begins later is not seen
inline constexpr std::size_t preview_source_bytes_max = 32 * 1024;

// The part to show: the first text/plain that is no attachment, else the first text/html; nullptr: there is none, the
// preview is empty. Mails inside the mail are not looked into.
const message_part* preview_part(const message_index& index);
bool is_html(const message_part& part);
std::string charset_of(const message_part& part);   // UTF-8 when it names none: it contains US-ASCII

// From the decoded beginning of that part, in UTF-8: blanks joined, markup removed.
std::string preview_text(std::string_view utf8, bool html);

}  // namespace pp::mail

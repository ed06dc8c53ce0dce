// Texts of responses (RFC 9051 section 9): strings, names, flags. Pure functions.
#pragma once

#include "proto/imap/events.hpp"

#include <string>
#include <string_view>

namespace pp::imap {

// string: quoted when it may be (no CR, LF, NUL, 8-bit; not longer than 1000 bytes), else a literal.
// utf8: 8-bit may be quoted.
std::string string_text(std::string_view value, bool utf8 = false);
std::string astring_text(std::string_view value, bool utf8 = false);    // an atom when it can be one
std::string mailbox_text(std::string_view utf8_name, bool utf8);        // else modified UTF-7
// "(\Seen $Forwarded)"; recent adds \Recent.
std::string flag_list_text(const mail::flags& flags, bool recent = false);
// Without the control characters that would end a line; a text that is empty becomes "Done".
std::string line_text(std::string_view text);
std::string mailbox_id_text(std::uint64_t mailbox);                     // "(F5)", RFC 8474 section 4
std::string use_text(special_use use);                                  // "\\Sent"; empty for none
std::string upper(std::string_view text);
bool equal_case(std::string_view a, std::string_view b);                // ASCII

}  // namespace pp::imap

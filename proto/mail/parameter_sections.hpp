// Parameters that RFC 2231 section 3 cut into name*0, name*1*, ...: IMAP servers join them again (RFC 2231 section 6),
// and leave their characters encoded (section 4), which clients undo.
#pragma once

#include "proto/mail/message_index.hpp"

namespace pp::mail {

inline constexpr std::size_t parameter_sections_max = 16;   // per name; 06-security 6.1.3

// Is there anything to join? Hardly ever, so look first.
bool has_sections(std::string_view name);
// "name*0=a; name*1=b" becomes "name=ab"; with any section extended, "name*". What does not begin with section 0, or is
// beyond a gap, stays as it was sent.
parameter_list join_sections(const parameter_list& sent);

}  // namespace pp::mail

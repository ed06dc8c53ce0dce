// What the one user of an account may do with his mailboxes, in the letters of RFC 4314 section 2.1.
#pragma once

#include <string>
#include <string_view>

namespace pp::imap {

// No "p" (nothing is submitted by writing to a mailbox) and no "a" (nobody else can be let in). "c" and "d" are the
// rights of RFC 2086, for old clients (RFC 4314 section 2.1.1).
inline constexpr std::string_view owner_rights = "lrswitekxcd";
inline constexpr std::string_view inbox_rights = "lrswitekcd";   // it cannot be deleted

inline std::string_view rights_of(std::string_view mailbox) { return mailbox == "INBOX" ? inbox_rights : owner_rights; }

}  // namespace pp::imap

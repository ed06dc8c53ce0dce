// One LIST response about a name, from a survey of all mailboxes (RFC 9051 section 7.3.1; RFC 5465 sections 5.4 and 5.5
// for \Subscribed and OLDNAME).
#pragma once

#include "proto/imap/events.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

// Without "* " and line end. old_name: empty, or what the mailbox was called before.
std::string list_name_line(const std::vector<surveyed_mailbox>& all, std::string_view name, std::string_view old_name,
                           bool utf8);

// What follows the name in a LIST response where the client wrote another (RFC 9051 section 6.3.9.7); "" for none.
std::string old_name_item(std::string_view old_name, bool utf8);

}  // namespace pp::imap

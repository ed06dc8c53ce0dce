// Message IDs out of Message-ID, In-Reply-To and References fields (RFC 5322 section 3.6.4), normalised so that the
// same ID written with and without quotes is one (RFC 5256 section 3, THREAD=REFERENCES).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

// Of one mail. The References of a long thread name all of it; RFC 5537 section 3.4.4 lets them be cut from the middle.
inline constexpr std::size_t thread_references_max = 1000;

// The valid IDs in order, "left@right" without brackets; what is not an ID is passed over. At most `max`.
std::vector<std::string> message_ids(std::string_view value, std::size_t max = thread_references_max);

}  // namespace pp::imap

// Message IDs out of Message-ID, In-Reply-To and References fields (RFC 5322 section 3.6.4), normalised so that the
// same ID written with and without quotes is one (RFC 5256 section 3, THREAD=REFERENCES).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

// Of one mail. The References of a long thread name all of it, those of a mail that means no good name what never was:
// each takes memory and time of a THREAD. As RFC 5537 section 3.4.4 lets them be cut: the first stays, and the last.
inline constexpr std::size_t thread_references_max = 100;

// The valid IDs in order, "left@right" without brackets; what is not an ID is passed over. The first `max`.
std::vector<std::string> message_ids(std::string_view value, std::size_t max = thread_references_max);
// The same of a References field: of more than thread_references_max the first, which names the thread, and the last,
// the nearest above the mail.
std::vector<std::string> reference_ids(std::string_view value);

}  // namespace pp::imap

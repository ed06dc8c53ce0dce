// The encodings of mails peerpost itself writes (welcome, reports): RFC 2045 section 6.7 and 6.8, RFC 2047.
#pragma once

#include "crypto/bytes.hpp"

#include <string>
#include <string_view>

namespace pp::engine {

std::string base64_lines(bytes_view data);                  // 76 characters and CRLF each
// Line ends of `text` (LF or CRLF) become CRLF; lines at most 76 characters.
std::string quoted_printable(std::string_view text);
// A phrase for From or To: as it is, quoted, or encoded words of at most 75 characters, folded. `text` is UTF-8; bytes
// that are not become '?', control characters blanks. Never holds a line end that is no folding.
std::string header_phrase(std::string_view text);
// UTF-8 without control characters and without broken sequences.
std::string clean_text(std::string_view text);

}  // namespace pp::engine

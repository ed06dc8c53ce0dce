// QR codes of short texts (invite links): for a terminal, and as a PNG picture for the welcome mail.
#pragma once

#include <string>
#include <string_view>

namespace pp::services {

inline constexpr std::size_t qr_text_bytes_max = 2953;   // version 40, level L, byte mode (ISO/IEC 18004 table 7)

// Two modules a character, light on dark with its own colours so that dark and light terminals both scan. Empty when
// the text is longer than qr_text_bytes_max or empty.
std::string qr_terminal(std::string_view text);
std::size_t qr_columns(std::string_view text);    // what a line of it takes; 0 where it is empty
// The bytes of a PNG file (one bit grey). Empty as above.
std::string qr_png(std::string_view text);

}  // namespace pp::services

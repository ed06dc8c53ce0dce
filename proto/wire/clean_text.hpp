// Text that travels between nodes and ends in logs, terminals and headers: well-formed UTF-8 (RFC 3629 section 4)
// without control characters.
#pragma once

#include <string>
#include <string_view>

namespace pp::wire {

bool is_clean_text(std::string_view text);
// The nearest clean text of at most bytes_max bytes: each wrong byte becomes '?', the cut is between characters.
std::string clean_text(std::string_view text, std::size_t bytes_max);

}  // namespace pp::wire

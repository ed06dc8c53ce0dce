// xtext (RFC 3461 section 4): how DSN parameters and AUTH= carry blanks, "+" and "=".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pp::smtp {

// nullopt when it is no xtext, or when it hides a control character: what is decoded here ends up in reports, and a
// line end in it would forge their fields.
std::optional<std::string> decode_xtext(std::string_view text);

}  // namespace pp::smtp

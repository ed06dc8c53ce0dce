// Character references of HTML, for searching and for previews:
// not all two thousand, those people's mail is written with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pp::mail {

// What stands between "&" and ";" ("auml", "#228", "#xe4"), as UTF-8. A no-break space is " ", what shows nothing (a
// soft hyphen) is empty, a number that is no character is U+FFFD. nullopt: none that is known, the text means itself.
std::optional<std::string> html_character(std::string_view name);

}  // namespace pp::mail

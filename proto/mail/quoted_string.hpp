// Quoted strings (RFC 5322 section 3.2.4), read with patience.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace pp::mail {

// The content of the quoted string that `rest` begins with, its backslashes undone.
// One without its end goes to the end.
inline std::string take_quoted_string(std::string_view& rest) {
    std::string out;
    std::size_t i = 1;
    for (; i < rest.size() && rest[i] != '"'; ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
        out += rest[i];
    }
    rest.remove_prefix(std::min(i + 1, rest.size()));
    return out;
}

}  // namespace pp::mail

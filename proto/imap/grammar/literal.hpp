// The mark of a literal at the end of a line: "{5}", "{5+}", "~{5}" (RFC 9051 section 9,
// literal and literal8; RFC 7888).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace pp::imap {

struct literal_mark {
    std::size_t begins_at = 0;       // of "{" or "~" in the line
    std::uint64_t size_bytes = 0;    // a number that does not fit is the largest one: no limit lets it through
    bool synchronising = true;
    bool binary = false;
    bool operator==(const literal_mark&) const = default;
};
inline constexpr std::uint64_t literal_overflow = std::numeric_limits<std::uint64_t>::max();

// `line` without its line end.
std::optional<literal_mark> literal_at_end(std::string_view line);

}  // namespace pp::imap

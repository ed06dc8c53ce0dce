#include "proto/imap/grammar/literal.hpp"

namespace pp::imap {

std::optional<literal_mark> literal_at_end(std::string_view line) {
    if (!line.ends_with('}')) return std::nullopt;
    const auto open = line.rfind('{');
    if (open == line.npos) return std::nullopt;
    auto digits = line.substr(open + 1, line.size() - open - 2);
    literal_mark mark;
    mark.begins_at = open;
    if (digits.ends_with('+')) {
        mark.synchronising = false;
        digits.remove_suffix(1);
    }
    if (digits.empty()) return std::nullopt;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (mark.size_bytes > (literal_overflow - digit) / 10)
            mark.size_bytes = literal_overflow;   // and stays there: the quotient is smaller than it
        else
            mark.size_bytes = mark.size_bytes * 10 + digit;
    }
    if (open > 0 && line[open - 1] == '~') {
        mark.binary = true;
        --mark.begins_at;
    }
    return mark;
}

}  // namespace pp::imap

// Message flags and keywords (RFC 9051 section 2.3.2). Keywords compare without case and keep the case of first use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pp::mail {

enum system_flag : std::uint8_t { seen = 1, answered = 2, flagged = 4, deleted = 8, draft = 16 };

struct flags {
    std::uint8_t system = 0;                // of system_flag
    std::vector<std::string> keywords;      // sorted without case, no doubles

    bool has(std::string_view keyword) const;
    void add(std::string_view keyword);
    void remove(std::string_view keyword);
    void add(const flags& other);
    void remove(const flags& other);
    bool operator==(const flags&) const = default;
};

inline constexpr std::size_t keyword_bytes_max = 255;
inline constexpr std::size_t keywords_per_message_max = 64;
bool is_keyword(std::string_view text);    // an atom that does not begin with a backslash

}  // namespace pp::mail

// Sets of UIDs or sequence numbers as sorted ranges (RFC 9051 section 4.1.1, sequence-set).
#pragma once

#include "proto/mail/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pp::mail {

class uid_set {
public:
    struct range {
        std::uint32_t first, last;   // both included, first <= last
        bool operator==(const range&) const = default;
    };

    uid_set() = default;
    static uid_set of(std::uint32_t first, std::uint32_t last) { uid_set s; s.add(first, last); return s; }

    void add(std::uint32_t uid) { add(uid, uid); }   // appending in rising order is O(1)
    void add(std::uint32_t first, std::uint32_t last);
    void add(const uid_set& other);
    void remove(const uid_set& other);                // linear in the ranges of both
    bool contains(std::uint32_t uid) const;
    bool empty() const { return ranges_.empty(); }
    std::uint64_t count() const;
    const std::vector<range>& ranges() const { return ranges_; }
    std::string text() const;                         // "1:3,7"
    std::vector<std::uint32_t> values() const;        // callers bound the count first

    bool operator==(const uid_set&) const = default;

private:
    std::vector<range> ranges_;
};

// Parses the wire form; '*' stands for `star` (the largest number in use; 0 in an empty mailbox gives an empty range).
// Order and doubles in the text are allowed. At most ranges_max ranges. errc::bad_uid_set.
inline constexpr std::size_t uid_set_ranges_max = 16384;
result<uid_set> parse_uid_set(std::string_view text, std::uint32_t star);

}  // namespace pp::mail

// What two people compare to be sure that nobody sits between them (SPEC.md, "Comparison"): made from both account
// keys, the same on both sides, as digits to read aloud and as a link to scan.
#pragma once

#include "crypto/keys.hpp"

#include <string>
#include <string_view>

namespace pp::peer {

inline constexpr std::size_t comparison_groups = 8, comparison_group_digits = 5;

struct comparison {
    crypto::hash256 digest;
    std::string digits() const;          // "01234 56789 ...": eight groups of five
    std::string link() const;            // "peerpost:verify/..."
};
// The order of the two does not matter.
comparison compare_keys(const crypto::account_key& a, const crypto::account_key& b);
// What was read or scanned: the digits with anything but digits between them, or the link. Constant time.
bool is_same(const comparison& ours, std::string_view read_or_scanned);
// Whether this can be either at all, so that a slip of the hand is told from a key that differs.
bool looks_like_comparison(std::string_view read_or_scanned);

}  // namespace pp::peer

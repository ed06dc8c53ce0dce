// partial-range (RFC 9394 section 4, RFC 5267 section 5):
// a part of a result by places in it, from its beginning or its end.
#pragma once

#include "proto/imap/grammar/parser.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace pp::imap {

struct partial_range {
    std::uint32_t first = 1, last = 1;       // first <= last, from 1
    bool from_end = false;                   // counted from the last result: "-1:-100"

    // As the answer names it, smaller number first: RFC 9394 section 4 has "500:400" mean "400:500".
    std::string text() const;
    // The places [first, second) of `count` results that it means; empty when it lies beyond them.
    std::pair<std::size_t, std::size_t> of(std::size_t count) const;
};

// "1:500", "500:1" or "-1:-100".
partial_range parse_partial_range(parser& args);

}  // namespace pp::imap

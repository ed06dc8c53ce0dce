#include "proto/imap/grammar/partial_range.hpp"

#include <algorithm>

namespace pp::imap {

std::pair<std::size_t, std::size_t> partial_range::of(std::size_t count) const {
    const auto from = std::min<std::size_t>(first - 1, count), to = std::min<std::size_t>(last, count);
    if (from_end) return {count - to, count - from};
    return {from, to};
}

std::string partial_range::text() const {
    const std::string sign = from_end ? "-" : "";
    return sign + std::to_string(first) + ':' + sign + std::to_string(last);
}

partial_range parse_partial_range(parser& args) {
    partial_range range;
    range.from_end = args.peek() == '-';
    const auto number = [&] {
        if (range.from_end) args.expect('-');
        return args.nz_number();
    };
    range.first = number();
    args.expect(':');
    range.last = number();
    if (args.failed()) return {};
    if (range.last < range.first) std::swap(range.first, range.last);
    return range;
}

}  // namespace pp::imap

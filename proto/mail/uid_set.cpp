// Sets of numbers as sorted, disjoint, non-touching ranges (RFC 9051 section 4.1.1 and sequence-set of section 9).
#include "proto/mail/uid_set.hpp"

#include "proto/mail/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace pp::mail {
namespace {

constexpr auto largest = std::numeric_limits<std::uint32_t>::max();

// First range that ends at or after the number.
template <class Ranges>
auto ending_from(Ranges& ranges, std::uint32_t number) {
    return std::lower_bound(ranges.begin(), ranges.end(), number,
                            [](const uid_set::range& r, std::uint32_t n) { return r.last < n; });
}

// RFC 9051 section 9, seq-number = nz-number / "*".
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t star) {
    if (text == "*") return star;
    if (text.empty() || !ascii::is_digit(text.front()) || text.front() == '0') return std::nullopt;
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Sorts and joins: the wire form may name ranges in any order, and one insertion at a time would be quadratic.
uid_set joined(std::vector<uid_set::range> ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    uid_set set;
    for (const auto& r : ranges) set.add(r.first, r.last);
    return set;
}

}  // namespace

void uid_set::add(std::uint32_t first, std::uint32_t last) {
    if (first > last) std::swap(first, last);
    if (ranges_.empty() || (first > ranges_.back().last && first - ranges_.back().last > 1)) {
        ranges_.push_back({first, last});
        return;
    }
    if (first >= ranges_.back().first) {
        ranges_.back().last = std::max(ranges_.back().last, last);
        return;
    }
    const auto begin = ending_from(ranges_, first == 0 ? 0 : first - 1);   // a range that only touches is joined too
    auto end = begin;
    while (end != ranges_.end() && (last == largest || end->first <= last + 1)) {
        first = std::min(first, end->first);
        last = std::max(last, end->last);
        ++end;
    }
    if (begin == end) {
        ranges_.insert(begin, {first, last});
    } else {
        *begin = {first, last};
        ranges_.erase(begin + 1, end);
    }
}

void uid_set::add(const uid_set& other) {
    if (this == &other || other.empty()) return;
    if (ranges_.empty()) {
        ranges_ = other.ranges_;
        return;
    }
    if (other.ranges_.size() == 1 || other.ranges_.front().first > ranges_.back().last) {
        for (const auto& r : other.ranges_) add(r.first, r.last);
        return;
    }
    auto all = ranges_;
    all.insert(all.end(), other.ranges_.begin(), other.ranges_.end());
    *this = joined(std::move(all));
}

void uid_set::remove(const uid_set& other) {
    if (other.empty() || ranges_.empty()) return;
    std::vector<range> left;
    auto gone = other.ranges_.begin();
    for (const auto& r : ranges_) {
        std::uint64_t from = r.first;
        while (gone != other.ranges_.end() && gone->last < from) ++gone;
        for (auto g = gone; g != other.ranges_.end() && g->first <= r.last; ++g) {
            if (g->first > from) left.push_back({static_cast<std::uint32_t>(from), g->first - 1});
            from = std::uint64_t{g->last} + 1;
        }
        if (from <= r.last) left.push_back({static_cast<std::uint32_t>(from), r.last});
    }
    ranges_ = std::move(left);
}

bool uid_set::contains(std::uint32_t uid) const {
    const auto at = ending_from(ranges_, uid);
    return at != ranges_.end() && at->first <= uid;
}

std::uint64_t uid_set::count() const {
    std::uint64_t sum = 0;
    for (const auto& r : ranges_) sum += std::uint64_t{r.last} - r.first + 1;
    return sum;
}

std::string uid_set::text() const {
    std::string out;
    for (const auto& r : ranges_) {
        if (!out.empty()) out += ',';
        out += std::to_string(r.first);
        if (r.last != r.first) out.append(":").append(std::to_string(r.last));
    }
    return out;
}

std::vector<std::uint32_t> uid_set::values() const {
    std::vector<std::uint32_t> out;
    out.reserve(count());
    for (const auto& r : ranges_)
        for (std::uint64_t n = r.first; n <= r.last; ++n) out.push_back(static_cast<std::uint32_t>(n));
    return out;
}

result<uid_set> parse_uid_set(std::string_view text, std::uint32_t star) {
    std::vector<uid_set::range> ranges;
    while (true) {
        const auto comma = text.find(',');
        const auto item = text.substr(0, comma);
        const auto colon = item.find(':');
        const auto first = parse_number(item.substr(0, colon), star);
        const auto last = colon == item.npos ? first : parse_number(item.substr(colon + 1), star);
        if (!first || !last || ranges.size() == uid_set_ranges_max) return errc::bad_uid_set;
        // "*" of an empty mailbox is 0, which is no number of a message: "*" and "5:*" then name nothing.
        if (*first != 0 && *last != 0) ranges.push_back({std::min(*first, *last), std::max(*first, *last)});
        if (comma == text.npos) return joined(std::move(ranges));
        text.remove_prefix(comma + 1);
    }
}

}  // namespace pp::mail

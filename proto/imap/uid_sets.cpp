#include "proto/imap/uid_sets.hpp"

#include <algorithm>

namespace pp::imap {

mail::uid_set common(const mail::uid_set& a, const mail::uid_set& b) {
    mail::uid_set out;
    auto left = a.ranges().begin();
    auto right = b.ranges().begin();
    while (left != a.ranges().end() && right != b.ranges().end()) {
        const auto first = std::max(left->first, right->first);
        const auto last = std::min(left->last, right->last);
        if (first <= last) out.add(first, last);
        if (left->last < right->last) ++left;
        else ++right;
    }
    return out;
}

mail::uid_set without(const mail::uid_set& from, const mail::uid_set& what) {
    mail::uid_set out;
    auto hole = what.ranges().begin();
    for (const auto& range : from.ranges()) {
        std::uint64_t at = range.first;   // 64 bits: one behind the last UID is no overflow
        while (hole != what.ranges().end() && hole->last < at) ++hole;
        for (auto next = hole; next != what.ranges().end() && next->first <= range.last; ++next) {
            if (next->first > at) out.add(static_cast<std::uint32_t>(at), next->first - 1);
            at = std::uint64_t(next->last) + 1;
        }
        if (at <= range.last) out.add(static_cast<std::uint32_t>(at), range.last);
    }
    return out;
}

mail::uid_set uid_set_walk::next(std::size_t max) {
    mail::uid_set out;
    while (max > 0 && at_ < ranges_.size()) {
        const auto [first, last] = ranges_[at_];
        const std::uint64_t left = std::uint64_t(last) - first - used_ + 1;
        const auto take = std::min<std::uint64_t>(max, left);
        const auto from = static_cast<std::uint32_t>(first + used_);
        out.add(from, static_cast<std::uint32_t>(from + take - 1));
        max -= take;
        used_ += take;
        if (take == left) {
            ++at_;
            used_ = 0;
        }
    }
    return out;
}

void uid_set_walk::go_back_to(std::uint32_t uid) {
    if (at_ == ranges_.size()) --at_;
    while (ranges_[at_].first > uid) --at_;
    used_ = uid - ranges_[at_].first;
}

}  // namespace pp::imap

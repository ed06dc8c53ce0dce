// Arithmetic with sets of UIDs, and walking them in pieces. Pure; cost grows with ranges, not with members.
#pragma once

#include "proto/mail/uid_set.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pp::imap {

mail::uid_set common(const mail::uid_set& a, const mail::uid_set& b);          // in both
mail::uid_set without(const mail::uid_set& from, const mail::uid_set& what);   // in `from` and not in `what`

// Hands out the members of a set in order, some at a time. The set must outlive it.
class uid_set_walk {
public:
    explicit uid_set_walk(const mail::uid_set& set) : ranges_(set.ranges()) {}
    mail::uid_set next(std::size_t max);   // at most max of them; empty at the end
    void go_back_to(std::uint32_t uid);    // a member that was handed out: it comes next

private:
    const std::vector<mail::uid_set::range>& ranges_;
    std::size_t at_ = 0;
    std::uint64_t used_ = 0;
};

}  // namespace pp::imap

#include "proto/imap/selected.hpp"

#include "proto/imap/grammar/response.hpp"

#include <algorithm>

namespace pp::imap {

namespace {
constexpr std::size_t keywords_announced_max = 512;   // of one mailbox; more work, but are not in the FLAGS response

bool less_case(std::string_view a, std::string_view b) { return upper(a) < upper(b); }
}  // namespace

std::uint32_t sequence_map::number_of(std::uint32_t uid) const {
    // Where few mails have gone the place follows from the UID.
    if (!uids_.empty() && uid >= uids_.front())
        if (const std::size_t guess = uid - uids_.front(); guess < uids_.size() && uids_[guess] == uid)
            return static_cast<std::uint32_t>(guess) + 1;
    const auto at = std::lower_bound(uids_.begin(), uids_.end(), uid);
    return at != uids_.end() && *at == uid ? static_cast<std::uint32_t>(at - uids_.begin()) + 1 : 0;
}

std::size_t sequence_map::add(const std::vector<std::uint32_t>& rising) {
    const auto before = uids_.size();
    for (const auto uid : rising)
        if (uid > last_uid()) uids_.push_back(uid);
    return uids_.size() - before;
}

std::vector<std::uint32_t> sequence_map::remove(const mail::uid_set& gone) {
    std::vector<std::uint32_t> numbers;
    if (gone.empty()) return numbers;
    // One pass over both, which are sorted; a removed mail's number counts without those removed before it.
    auto range = gone.ranges().begin();
    std::size_t kept = 0;
    for (std::size_t i = 0; i < uids_.size(); ++i) {
        while (range != gone.ranges().end() && range->last < uids_[i]) ++range;
        if (range != gone.ranges().end() && range->first <= uids_[i])
            numbers.push_back(static_cast<std::uint32_t>(kept) + 1);
        else
            uids_[kept++] = uids_[i];
    }
    uids_.resize(kept);
    return numbers;
}

mail::uid_set sequence_map::present(const mail::uid_set& uids) const {
    mail::uid_set there;
    for (const auto& range : uids.ranges()) {
        auto at = std::lower_bound(uids_.begin(), uids_.end(), range.first);
        for (; at != uids_.end() && *at <= range.last; ++at) there.add(*at);
    }
    return there;
}

selected_mailbox::selected_mailbox(opened_mailbox opened, bool read_only_)
    : name(std::move(opened.name)),
      read_only(read_only_),
      mailbox(opened.status.mailbox),
      uid_validity(opened.status.uid_validity),
      numbers(std::move(opened.uids)),
      known_modseq_(opened.status.highest_modseq),
      synced_modseq_(opened.status.highest_modseq),
      recent_(std::move(opened.recent)),
      keywords_(std::move(opened.keywords)) {
    std::sort(keywords_.begin(), keywords_.end(), less_case);
    if (keywords_.size() > keywords_announced_max) keywords_.resize(keywords_announced_max);
}

std::variant<mail::uid_set, std::string> selected_mailbox::resolve(const sequence_set& set, bool uid) const {
    if (set.saved_result()) return numbers.present(saved_);
    if (uid) {
        const auto asked = mail::parse_uid_set(set.text, numbers.last_uid());
        if (!asked) return std::string("The set of UIDs is not valid");
        return numbers.present(*asked);
    }
    const auto asked = mail::parse_uid_set(set.text, numbers.size());
    if (!asked) return std::string("The set of message numbers is not valid");
    mail::uid_set found;
    // With a "*" what lies above is cut off instead: Thunderbird empties an empty Trash with "1:*", and others ask
    // for "n:*" to learn of new mail.
    const bool open_end = set.text.find('*') != set.text.npos;
    for (const auto& range : asked->ranges()) {
        if (range.last > numbers.size() && !open_end) return std::string("A message number is too large");
        const auto last = std::min(range.last, numbers.size());
        for (auto number = range.first; number <= last; ++number) found.add(numbers.uid_at(number));
    }
    return found;
}

std::vector<std::uint32_t> selected_mailbox::take_foreign(const std::vector<std::uint32_t>& added) {
    std::vector<std::uint32_t> foreign;
    for (const auto uid : added)
        if (!own_.contains(uid)) foreign.push_back(uid);
    own_ = {};
    return foreign;
}

std::uint32_t selected_mailbox::recent_count() const {
    const auto& uids = numbers.uids();
    std::ptrdiff_t count = 0;
    for (const auto& range : recent_.ranges()) {
        const auto first = std::lower_bound(uids.begin(), uids.end(), range.first);
        count += std::upper_bound(first, uids.end(), range.last) - first;
    }
    return static_cast<std::uint32_t>(count);
}

void selected_mailbox::told(const message_row& row) {
    if (row.modseq <= known_modseq_) return;
    auto& modseq = told_[row.uid];
    modseq = std::max(modseq, row.modseq);
}

bool selected_mailbox::knows(const message_row& row) const {
    const auto at = told_.find(row.uid);
    return at != told_.end() && at->second >= row.modseq;
}

void selected_mailbox::take_in(const mailbox_delta& delta) {
    vanished.add(numbers.present(delta.vanished));
    recent_.add(delta.recent);
    known_modseq_ = std::max(known_modseq_, delta.highest_modseq);
    std::erase_if(told_, [this](const auto& entry) { return entry.second <= known_modseq_; });
}

bool selected_mailbox::learn_keywords(const mail::flags& flags) {
    bool learned = false;
    for (const auto& keyword : flags.keywords) {
        const auto at = std::lower_bound(keywords_.begin(), keywords_.end(), keyword, less_case);
        if (at != keywords_.end() && equal_case(*at, keyword)) continue;
        if (keywords_.size() >= keywords_announced_max) continue;
        keywords_.insert(at, keyword);
        learned = true;
    }
    return learned;
}

}  // namespace pp::imap

#include "daemon/services/recent_mails.hpp"

#include <algorithm>

namespace pp::services {

std::uint32_t recent_mails::first(const std::string& account, storage::mailbox_id box,
                                  std::uint32_t stored_first) const {
    const std::lock_guard lock(mutex_);
    const auto at = first_.find({account, box});
    return at == first_.end() ? stored_first : std::max(at->second, stored_first);
}

std::uint32_t recent_mails::claim(const std::string& account, storage::mailbox_id box, std::uint32_t stored_first,
                                  std::uint32_t uid_next) {
    const std::lock_guard lock(mutex_);
    auto at = first_.find({account, box});
    if (at == first_.end()) {
        if (uid_next <= stored_first) return stored_first;
        if (first_.size() >= recent_mailboxes_max) first_.clear();
        at = first_.emplace(key{account, box}, stored_first).first;
    }
    const auto mine = std::max(at->second, stored_first);
    at->second = std::max(mine, uid_next);
    return mine;
}

}  // namespace pp::services

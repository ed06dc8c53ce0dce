#include "daemon/services/change_bus.hpp"

namespace pp::services {

change_bus::subscription change_bus::subscribe(std::string account, storage::mailbox_id box, callback f) {
    const std::lock_guard lock(mutex_);
    const auto id = next_++;
    listeners_.emplace(id, listener{std::move(account), box, std::move(f)});
    return subscription(this, id);
}

void change_bus::publish(const std::string& account, storage::mailbox_id box) {
    // Under the lock: a subscription that has ended is never called. The callbacks only post, so this is short.
    const std::lock_guard lock(mutex_);
    for (const auto& [id, l] : listeners_)
        if ((l.box == box || l.box == every_mailbox) && l.account == account) l.f(box);
}

void change_bus::unsubscribe(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    listeners_.erase(id);
}

}  // namespace pp::services

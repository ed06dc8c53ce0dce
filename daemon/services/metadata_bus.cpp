#include "daemon/services/metadata_bus.hpp"

namespace pp::services {

metadata_bus::subscription metadata_bus::subscribe(std::string account, callback f) {
    const std::lock_guard lock(mutex_);
    const auto id = next_++;
    listeners_.emplace(id, listener{std::move(account), std::move(f)});
    return subscription(this, id);
}

void metadata_bus::publish(const std::string& account, const subscription& except, const std::string& mailbox,
                           const std::vector<std::string>& entries) {
    // Under the lock: a subscription that has ended is never called. The callbacks only post, so this is short.
    const std::lock_guard lock(mutex_);
    for (const auto& [id, l] : listeners_)
        if (id != except.id_ && l.account == account) l.f(mailbox, entries);
}

void metadata_bus::unsubscribe(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    listeners_.erase(id);
}

}  // namespace pp::services

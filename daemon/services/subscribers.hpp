// Who listens to news of which account: the common part of the buses. Thread-safe; what is told runs on the publisher's
// thread and only posts to the listener's own.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace pp::services {

// Listener has a member `account`, the label of the one it listens to.
template <class Listener>
class subscribers {
public:
    // Ends when destroyed; after that the listener is not being told and is never told again.
    class subscription {
    public:
        subscription() = default;
        subscription(subscription&& other) noexcept : to_(std::exchange(other.to_, nullptr)), id_(other.id_) {}
        subscription& operator=(subscription&& other) noexcept {
            std::swap(to_, other.to_);
            std::swap(id_, other.id_);
            return *this;
        }
        ~subscription() {
            if (to_) to_->remove(id_);
        }
        explicit operator bool() const { return to_ != nullptr; }

    private:
        friend class subscribers;
        subscription(subscribers* to, std::uint64_t id) : to_(to), id_(id) {}
        subscribers* to_ = nullptr;
        std::uint64_t id_ = 0;
    };

protected:
    subscription add(Listener l) {
        const std::lock_guard lock(mutex_);
        const auto id = next_++;
        listeners_.emplace(id, std::move(l));
        return subscription(this, id);
    }
    // Under the lock, so that a subscription that has ended is never told. Tellers only post: this is short.
    template <class Tell>
    void each(const std::string& account, Tell tell, const subscription& except = {}) {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, l] : listeners_)
            if (id != except.id_ && l.account == account) tell(l);
    }

private:
    void remove(std::uint64_t id) {
        const std::lock_guard lock(mutex_);
        listeners_.erase(id);
    }
    std::mutex mutex_;
    std::map<std::uint64_t, Listener> listeners_;
    std::uint64_t next_ = 1;
};

}  // namespace pp::services

// Tells whoever listens that a mailbox has changed (IDLE, NOOP) or that there is work for delivery. Thread-safe; the
// callbacks run on the publisher's thread and only post to the listener's own.
#pragma once

#include "storage/records.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace pp::services {

class change_bus {
public:
    using callback = std::function<void(storage::mailbox_id)>;

    // Ends the subscription when destroyed; after that the callback is not running and is never called again.
    class subscription {
    public:
        subscription() = default;
        subscription(subscription&& other) noexcept : bus_(std::exchange(other.bus_, nullptr)), id_(other.id_) {}
        subscription& operator=(subscription&& other) noexcept {
            std::swap(bus_, other.bus_);
            std::swap(id_, other.id_);
            return *this;
        }
        ~subscription() {
            if (bus_) bus_->unsubscribe(id_);
        }

    private:
        friend class change_bus;
        subscription(change_bus* bus, std::uint64_t id) : bus_(bus), id_(id) {}
        change_bus* bus_ = nullptr;
        std::uint64_t id_ = 0;
    };

    // Changes of one mailbox of one account (its label), or of every_mailbox: its mails, its name, its subscription,
    // its coming and going.
    static constexpr storage::mailbox_id every_mailbox = 0;
    subscription subscribe(std::string account, storage::mailbox_id box, callback f);
    void publish(const std::string& account, storage::mailbox_id box);

private:
    void unsubscribe(std::uint64_t id);
    struct listener {
        std::string account;
        storage::mailbox_id box;
        callback f;
    };
    std::mutex mutex_;
    std::map<std::uint64_t, listener> listeners_;
    std::uint64_t next_ = 1;
};

}  // namespace pp::services

// Tells the sessions of an account which annotations have changed (RFC 5464 section 4.4.2). Thread-safe; the callbacks
// run on the publisher's thread and only post to the listener's own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace pp::services {

class metadata_bus {
public:
    // mailbox: its name, empty for the account.
    using callback = std::function<void(const std::string& mailbox, const std::vector<std::string>& entries)>;

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
        explicit operator bool() const { return bus_ != nullptr; }

    private:
        friend class metadata_bus;
        subscription(metadata_bus* bus, std::uint64_t id) : bus_(bus), id_(id) {}
        metadata_bus* bus_ = nullptr;
        std::uint64_t id_ = 0;
    };

    subscription subscribe(std::string account, callback f);
    // To all subscribers of the account but the one whose client has made the change.
    void publish(const std::string& account, const subscription& except, const std::string& mailbox,
                 const std::vector<std::string>& entries);

private:
    void unsubscribe(std::uint64_t id);
    struct listener {
        std::string account;
        callback f;
    };
    std::mutex mutex_;
    std::map<std::uint64_t, listener> listeners_;
    std::uint64_t next_ = 1;
};

}  // namespace pp::services

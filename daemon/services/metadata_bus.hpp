// Tells the sessions of an account which annotations have changed (RFC 5464 section 4.4.2).
#pragma once

#include "daemon/services/subscribers.hpp"

#include <functional>
#include <vector>

namespace pp::services {

struct metadata_listener {
    std::string account;
    std::function<void(const std::string& mailbox, const std::vector<std::string>& entries)> told;
};

class metadata_bus : public subscribers<metadata_listener> {
public:
    using callback = decltype(metadata_listener::told);   // mailbox: its name, empty for the account

    subscription subscribe(std::string account, callback f) { return add({std::move(account), std::move(f)}); }
    // To all subscribers of the account but the one whose client has made the change.
    void publish(const std::string& account, const subscription& except, const std::string& mailbox,
                 const std::vector<std::string>& entries) {
        each(account, [&](const metadata_listener& l) { l.told(mailbox, entries); }, except);
    }
};

}  // namespace pp::services

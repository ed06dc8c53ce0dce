// Tells whoever listens that a mailbox has changed: IDLE, NOOP, NOTIFY.
#pragma once

#include "daemon/services/subscribers.hpp"
#include "storage/records.hpp"

#include <functional>

namespace pp::services {

struct change_listener {
    std::string account;
    storage::mailbox_id box;
    std::function<void(storage::mailbox_id)> told;
};

class change_bus : public subscribers<change_listener> {
public:
    using callback = decltype(change_listener::told);

    // Changes of one mailbox of one account (its label), or of every_mailbox: its mails, its name, its subscription,
    // its coming and going.
    static constexpr storage::mailbox_id every_mailbox = 0;
    subscription subscribe(std::string account, storage::mailbox_id box, callback f) {
        return add({std::move(account), box, std::move(f)});
    }
    void publish(const std::string& account, storage::mailbox_id box) {
        each(account, [box](const change_listener& l) {
            if (l.box == box || l.box == every_mailbox) l.told(box);
        });
    }
};

}  // namespace pp::services

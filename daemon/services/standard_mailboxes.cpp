#include "daemon/services/standard_mailboxes.hpp"

namespace pp::services {

result<storage::mailbox_id> standard_mailbox(storage::write_txn& txn, storage::special_use use, std::string_view name) {
    if (use != storage::special_use::none) {
        auto all = txn.mailboxes();
        if (!all) return all.error();
        for (const auto& box : *all)
            if (box.use == use) return box.id;
    }
    auto named = txn.find_mailbox(name);
    if (!named) return named.error();
    if (*named) return (*named)->id;
    return txn.create_mailbox(name, use);
}

}  // namespace pp::services

// The mailboxes the daemon itself files into. A user may have renamed or deleted them: they are found by their use,
// then by name, and made again when they are gone.
#pragma once

#include "storage/txn.hpp"

namespace pp::services {

inline constexpr std::string_view inbox_name = "INBOX", sent_name = "Sent", requests_name = "Requests",
                                  trash_name = "Trash";

// The mailbox with this special use (none: any), else with this name, else a new one. Inside a write job.
result<storage::mailbox_id> standard_mailbox(storage::write_txn& txn, storage::special_use use, std::string_view name);

}  // namespace pp::services

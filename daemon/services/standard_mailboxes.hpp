// The mailboxes the daemon itself files into. A user may have renamed or deleted them: they are found by their use,
// then by name, and made again when they are gone.
#pragma once

#include "storage/txn.hpp"

namespace pp::services {

inline constexpr std::string_view inbox_name = "INBOX", sent_name = "Sent", requests_name = "Requests",
                                  trash_name = "Trash";

// The mailbox with this special use (none: any), else with this name, else a new one. Inside a write job.
result<storage::mailbox_id> standard_mailbox(storage::write_txn& txn, storage::special_use use, std::string_view name);
// A mail of peerpost's own to the user, unread. Inside a write job.
result<void> file_in_inbox(storage::write_txn& txn, storage::blob_writer& mail, std::int64_t now_s);
// As STORE +FLAGS.SILENT (\Deleted) and UID EXPUNGE of one mail, but seen by nobody in between. errc::not_found.
result<void> remove_mail(storage::write_txn& txn, storage::mailbox_id box, std::uint32_t uid);

}  // namespace pp::services

// Keeps the mailbox Outgoing in step with the outbox (engine/outgoing.hpp). All of it inside write jobs, so that a mail
// and what is said of it never part.
#pragma once

#include "storage/txn.hpp"

namespace pp::services {

// Of all open mails: whether one belongs there and is not, or its keyword is old (update); whether the user has deleted
// one there (cancel).
enum class outgoing_change : std::uint8_t { none, update, cancel };
result<outgoing_change> outgoing_due(const storage::read_txn& txn, storage::unix_ms now);
// Does it, and says what it was.
result<outgoing_change> update_outgoing(storage::write_txn& txn, storage::unix_ms now);
// The row is over: takes its message away when no other recipient of the mail is still waited for.
result<void> leave_outgoing(storage::write_txn& txn, const storage::outbox_row& row);

}  // namespace pp::services

// Keeps the mailbox Outgoing in step with the outbox (engine/outgoing.hpp, engine/outgoing_mail.hpp). What changes does
// so inside write jobs, so that a mail and what is said of it never part.
#pragma once

#include "daemon/engine/outgoing_mail.hpp"
#include "storage/account_store.hpp"
#include "storage/txn.hpp"

namespace pp::services {

// Of the account, and how long delivery waits for what.
struct outgoing_facts {
    std::string domain;
    engine::delivery_times times;
};
// A note that is to stand in Outgoing, or in place of one that the user has deleted there; written and not yet placed.
struct outgoing_note {
    storage::id16 submission{};
    std::vector<storage::id16> rows;                 // of the mail, open when it was written
    std::string keyword, message_id;
    bool was_deleted = false;
    storage::blob_writer blob;
};
inline constexpr std::size_t outgoing_notes_max = 64;      // written at a time
// One for each of these mails (the rows of each) that is open and needs something: it belongs there and is not, what it
// says is old, or the user has deleted it.
result<std::vector<outgoing_note>> outgoing_due(storage::account_store& store,
                                                const std::vector<std::vector<storage::id16>>& mails,
                                                const outgoing_facts& facts, storage::unix_ms now);
// Places, replaces and cancels, and says what it was. The notes have to stay until the group commits.
enum class outgoing_change : std::uint8_t { none, update, cancel };
result<outgoing_change> update_outgoing(storage::write_txn& txn, std::vector<outgoing_note>& notes,
                                        const outgoing_facts& facts, storage::unix_ms now);
// The row is over: takes its note away when no other recipient of the mail is still waited for.
result<void> leave_outgoing(storage::write_txn& txn, const storage::outbox_row& row, std::string_view domain);

}  // namespace pp::services

// What the user says of strangers with the mail client (engine/requests.hpp), written in the same job as the change
// that says it.
#pragma once

#include "daemon/services/account.hpp"
#include "storage/txn.hpp"

namespace pp::services {

// Before mails are moved or copied between these mailboxes. Reads the first bytes of each mail when one of the two is
// Requests, else nothing. What cannot be read judges nobody. True when that changed a contact.
result<bool> judge_senders(storage::write_txn& txn, const account& mine, const storage::mailbox& from,
                           const storage::mailbox& to, const mail::uid_set& uids);
// The user writes to this account: a stranger whose request lies there is accepted.
result<void> accept_recipient(storage::write_txn& txn, const crypto::account_key& recipient);

// Writes what has become of a contact, and what follows from it: nothing more is fetched from who is blocked or
// removed, and who is accepted under the name of another contact is told of once, by a mail (net/courier_people.cpp),
// unless the user knows it already.
result<void> settle_contact(storage::write_txn& txn, const std::optional<storage::contact>& before,
                            storage::contact after, bool user_knows = false);

}  // namespace pp::services

// What the user says of strangers with the mail client (engine/requests.hpp), written in the same job as the change
// that says it.
#pragma once

#include "daemon/services/followed_mails.hpp"
#include "storage/txn.hpp"

namespace pp::services {

// Before mails are moved or copied between these mailboxes. Reads the first bytes of each mail when one of the two is
// Requests, else nothing. What cannot be read judges nobody. True when that changed a contact.
result<bool> judge_senders(storage::write_txn& txn, const account& mine, const storage::mailbox& from,
                           const storage::mailbox& to, const mail::uid_set& uids);
// The user writes to this account: a stranger whose request lies there is accepted. answered: the Message-ID of the
// mail that this one answers; may be empty.
result<void> accept_recipient(storage::write_txn& txn, const account& mine, const crypto::account_key& recipient,
                              const std::string& answered);

struct settling {
    bool user_knows = false;             // of another contact with that name
    mails_in_hand in_hand;
};
// Writes what has become of a contact, and what follows from it: her other mails go where she belongs now
// (followed_mails.hpp), nothing more is fetched from who is blocked or removed, and who is accepted under the name of
// another contact is told of once, by a mail (net/courier_people.cpp), unless the user knows it already.
result<void> settle_contact(storage::write_txn& txn, const account& mine,
                            const std::optional<storage::contact>& before, storage::contact after,
                            const settling& how = {});

}  // namespace pp::services

// A sender's other mails go where the user's judgement sends them (engine/followed_mails.hpp), in the write job that
// writes the judgement: the two never part.
#pragma once

#include "daemon/engine/followed_mails.hpp"
#include "daemon/services/account.hpp"
#include "storage/txn.hpp"

namespace pp::services {

// Whose mail this is, as this node found when it came (engine::sender_of_arrival). Reads its first bytes.
std::optional<crypto::account_key> sender_of(const account& mine, std::uint64_t mail_serial);

// Mails that stay where they are, because the user herself is putting them somewhere; and the one she is answering.
struct mails_in_hand {
    storage::mailbox_id box = storage::no_mailbox;
    mail::uid_set uids;
    std::string answered;                // Message-ID; its mail is marked \Answered, wherever it goes
};
// At most as many as Requests holds. What is marked \Deleted stays, and so does what names another author than its
// sender, or cannot be read.
result<void> follow_sender(storage::write_txn& txn, const account& mine, const crypto::account_key& who,
                           engine::follow what, const mails_in_hand& in_hand);

}  // namespace pp::services

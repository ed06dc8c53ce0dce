// What becomes of the inbound row of a mail that is stored.
#pragma once

#include "proto/peer/messages.hpp"
#include "storage/txn.hpp"

namespace pp::services {

// In the commit that makes the mail visible. Of what came, or came as well, through a relay the row stays: the sender
// is still to be answered there, and the relay still has it.
result<void> mail_is_here(storage::write_txn& txn, const peer::notification& note);

}  // namespace pp::services

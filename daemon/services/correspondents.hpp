// What is known of people with whom mail goes through relays, as the store keeps it (engine/correspondent.hpp).
#pragma once

#include "daemon/engine/correspondent.hpp"
#include "storage/txn.hpp"

namespace pp::services {

// What cannot be read is as if nothing were known: it comes again with the next mail or letter.
engine::correspondent correspondent_of(const storage::read_txn& txn, const crypto::account_key& who);

// Takes over what somebody has told by letter. Of those who are nothing to us nothing is kept: a contact, or the
// recipient of a mail that is under way. paid_by: the letter came out of a slot of ours.
result<void> learn_from(storage::write_txn& txn, const crypto::account_key& who, const peer::letter& told,
                        std::int64_t written_at, std::int64_t now,
                        std::optional<relay::token_serial> paid_by = std::nullopt);

// The same of what stands in the DHT of her, with the work she asks of strangers.
result<void> learn_found(storage::write_txn& txn, const crypto::account_key& who, const peer::return_path& way,
                         std::uint8_t work_bits, std::int64_t told_at);

engine::reachable_by how_to_reach(const storage::account_store& store,
                                  const std::optional<peer::account_record>& record, const crypto::account_key& who,
                                  std::int64_t now);

}  // namespace pp::services

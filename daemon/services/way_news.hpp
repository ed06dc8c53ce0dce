// Whom of our contacts we owe word of another way to us (engine/way_news.hpp), as the store keeps it. Inside write
// jobs: the change and the debt never part.
#pragma once

#include "daemon/engine/way_news.hpp"
#include "storage/txn.hpp"

#include <map>

namespace pp::services {

// The account's relays from now on; when that is another way to us, each contact is owed word of it.
result<void> put_own_relays(storage::write_txn& txn, const std::vector<engine::own_relay>& relays,
                            const crypto::signing_key& account, storage::unix_ms now);
// Who is owed word, and since when.
std::map<crypto::account_key, storage::unix_ms> owed_news(const storage::read_txn& txn, storage::unix_ms now);
// Since when she is owed what this record or way of ours tells; 0: nothing, or it does not tell it.
storage::unix_ms news_in(const storage::read_txn& txn, const crypto::account_key& who, std::string_view first_slot,
                         const crypto::signing_key& account);
// She was told what was owed since then; what came after it is owed still.
result<void> news_told(storage::write_txn& txn, const crypto::account_key& who, storage::unix_ms since);

}  // namespace pp::services

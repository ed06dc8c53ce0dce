// Which rows that are over have a seed at a relay that their sender is to take back (engine/leftovers.hpp), inside
// write jobs: the end of a row and the note of what it leaves behind never part.
#pragma once

#include "daemon/engine/leftovers.hpp"
#include "storage/txn.hpp"

#include <set>

namespace pp::services {

std::vector<storage::id16> leftovers(const storage::read_txn& txn);
// The row is as it is written now: noted when it is over and leaves something behind.
result<void> note_leftover(storage::write_txn& txn, const storage::outbox_row& row);
// They are not looked after any more.
result<void> forget_leftovers(storage::write_txn& txn, const std::set<storage::id16>& rows);

}  // namespace pp::services

// The relays an account uses, as the store keeps them (engine/own_relays.hpp).
#pragma once

#include "daemon/engine/own_relays.hpp"
#include "storage/txn.hpp"

namespace pp::services {

// What cannot be read is as if there were none: `relay use` mends it.
std::vector<engine::own_relay> own_relays(const storage::read_txn& txn);
std::vector<engine::own_relay> own_relays(const storage::account_store& store);

}  // namespace pp::services

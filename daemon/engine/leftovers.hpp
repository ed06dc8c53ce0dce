// Seeds that lie at a relay although nothing leads anybody there: the walk that brought one broke off before the item
// was left, and then the mail came another way, or was given up. The sender takes them back; else they would fill her
// relay until their time is over. Which rows have one stands in a setting, so that it is known after a restart. Pure.
#pragma once

#include "daemon/engine/deposit.hpp"

#include <span>

namespace pp::engine {

inline constexpr std::string_view leftovers_setting = "leftovers";
inline constexpr std::size_t leftovers_max = 1024;           // rows; of older ones the relay's time takes care

// A row that is over, and a seed of it may lie where its recipient does not clean up. Not one that is in doubt: what
// may still be fetched is not taken away behind the back of its report.
bool has_leftover(const storage::outbox_row& row);

// Ids of rows, the oldest first. What cannot be read is as if there were none.
bytes encode_leftovers(std::span<const storage::id16> rows);
std::vector<storage::id16> decode_leftovers(bytes_view kept);

}  // namespace pp::engine

#include "daemon/services/leftovers.hpp"

#include <algorithm>

namespace pp::services {

std::vector<storage::id16> leftovers(const storage::read_txn& txn) {
    const auto kept = txn.setting(engine::leftovers_setting);
    return kept && *kept ? engine::decode_leftovers(**kept) : std::vector<storage::id16>();
}

result<void> note_leftover(storage::write_txn& txn, const storage::outbox_row& row) {
    if (!engine::has_leftover(row)) return {};
    auto known = leftovers(txn);
    if (std::find(known.begin(), known.end(), row.id) != known.end()) return {};
    known.push_back(row.id);
    return txn.put_setting(engine::leftovers_setting, engine::encode_leftovers(known));
}

result<void> forget_leftovers(storage::write_txn& txn, const std::set<storage::id16>& rows) {
    auto known = leftovers(txn);
    if (std::erase_if(known, [&](const auto& id) { return rows.contains(id); }) == 0) return {};
    return txn.put_setting(engine::leftovers_setting, engine::encode_leftovers(known));
}

}  // namespace pp::services

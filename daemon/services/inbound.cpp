#include "daemon/services/inbound.hpp"

namespace pp::services {

result<std::optional<storage::inbound_row>> inbound_row_of(const storage::read_txn& txn,
                                                           const storage::id16& notification) {
    auto rows = txn.inbound();   // few: what is on its way at this moment
    if (!rows) return rows.error();
    for (auto& row : *rows)
        if (row.notification == notification) return std::optional<storage::inbound_row>(std::move(row));
    return std::optional<storage::inbound_row>();
}

result<void> mail_is_here(storage::write_txn& txn, const peer::notification& note) {
    auto row = inbound_row_of(txn, note.id);
    if (!row) return row.error();
    if (!*row) return {};
    const auto opened = peer::decode_opened((*row)->opened);
    if (!opened || !opened->answer) return txn.erase_inbound(note.id);
    (*row)->stage = storage::inbound_stage::stored;
    return txn.put_inbound(**row);
}

}  // namespace pp::services

#include "daemon/services/inbound.hpp"

namespace pp::services {

result<void> mail_is_here(storage::write_txn& txn, const peer::notification& note) {
    auto row = txn.get_inbound(note.id);
    if (!row) return row.error();
    if (!*row) return {};
    const auto opened = peer::decode_opened((*row)->opened);
    if (!opened || !opened->answer) return txn.erase_inbound(note.id);
    (*row)->stage = storage::inbound_stage::stored;
    return txn.put_inbound(**row);
}

}  // namespace pp::services

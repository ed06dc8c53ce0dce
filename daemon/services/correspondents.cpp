#include "daemon/services/correspondents.hpp"

#include <algorithm>

namespace pp::services {

engine::correspondent correspondent_of(const storage::read_txn& txn, const crypto::account_key& who) {
    const auto kept = txn.setting(engine::correspondent_setting(who));
    if (!kept || !*kept) return {};
    auto c = engine::decode_correspondent(**kept);
    return c ? std::move(*c) : engine::correspondent();
}

result<void> learn_from(storage::write_txn& txn, const crypto::account_key& who, const peer::letter& told, std::int64_t written_at,
                        std::int64_t now) {
    auto contact = txn.get_contact(who);
    if (!contact) return contact.error();
    if (*contact && (*contact)->blocked) return {};
    if (!*contact) {
        auto rows = txn.outbox(true);
        if (!rows) return rows.error();
        if (std::none_of(rows->begin(), rows->end(), [&](const auto& row) { return row.account == who; })) return {};
    }
    const auto before = correspondent_of(txn, who);
    auto c = before;
    for (const auto& grant : told.grants) engine::keep_tokens(c, grant, now);
    for (const auto& way : told.ways) engine::keep_way(c, way, written_at);
    if (c == before) return {};
    return txn.put_setting(engine::correspondent_setting(who), engine::encode(c));
}

engine::reachable_by how_to_reach(const storage::account_store& store, const std::optional<peer::account_record>& record,
                                  const crypto::account_key& who, std::int64_t now) {
    engine::correspondent c;
    (void)store.read([&](const storage::read_txn& txn) -> result<void> {
        c = correspondent_of(txn, who);
        return {};
    });
    return engine::how_to_reach(record, c, now);
}

}  // namespace pp::services

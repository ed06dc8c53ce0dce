#include "daemon/services/correspondents.hpp"

#include "daemon/services/clock.hpp"

#include <algorithm>

namespace pp::services {

engine::correspondent correspondent_of(const storage::read_txn& txn, const crypto::account_key& who) {
    const auto kept = txn.setting(engine::correspondent_setting(who));
    if (!kept || !*kept) return {};
    auto c = engine::decode_correspondent(**kept);
    return c ? std::move(*c) : engine::correspondent();
}

namespace {

// A contact, or the recipient of a mail that is under way.
result<bool> is_something_to_us(const storage::read_txn& txn, const crypto::account_key& who) {
    const auto failure = [](error_code e) { return result<bool>(boost::system::in_place_error, e); };
    auto contact = txn.get_contact(who);
    if (!contact) return failure(contact.error());
    if (*contact) return !(*contact)->blocked;
    auto waits = txn.is_mail_open_to(who);
    return waits ? result<bool>(*waits) : failure(waits.error());
}

}  // namespace

result<void> learn_found(storage::write_txn& txn, const crypto::account_key& who, const peer::return_path& way,
                         std::uint8_t work_bits, std::int64_t told_at) {
    const auto wanted = is_something_to_us(txn, who);
    if (!wanted) return wanted.error();
    const auto before = correspondent_of(txn, who);
    auto c = before;
    engine::keep_way(c, way, told_at, now_s());
    c.work_bits = work_bits;
    if (!*wanted || c == before) return {};
    return txn.put_setting(engine::correspondent_setting(who), engine::encode(c));
}

result<void> learn_from(storage::write_txn& txn, const crypto::account_key& who, const peer::letter& told,
                        std::int64_t written_at, std::int64_t now, std::optional<relay::token_serial> paid_by) {
    const auto wanted = is_something_to_us(txn, who);
    if (!wanted) return wanted.error();
    if (!*wanted) return {};
    const auto before = correspondent_of(txn, who);
    auto c = before;
    for (const auto& grant : told.grants) engine::keep_tokens(c, grant, now);
    for (const auto& way : told.ways) engine::keep_way(c, way, written_at, now);
    if (paid_by) engine::item_came(c, *paid_by);
    if (c == before) return {};
    return txn.put_setting(engine::correspondent_setting(who), engine::encode(c));
}

engine::reachable_by how_to_reach(const storage::account_store& store,
                                  const std::optional<peer::account_record>& record, const crypto::account_key& who,
                                  std::int64_t now) {
    engine::correspondent c;
    (void)store.read([&](const storage::read_txn& txn) -> result<void> {
        c = correspondent_of(txn, who);
        return {};
    });
    return engine::how_to_reach(record, c, now);
}

}  // namespace pp::services

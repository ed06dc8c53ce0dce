#include "daemon/services/own_relays.hpp"

namespace pp::services {

std::vector<engine::own_relay> own_relays(const storage::read_txn& txn) {
    const auto kept = txn.setting(engine::own_relays_setting);
    if (!kept || !*kept) return {};
    auto all = engine::decode_own_relays(**kept);
    return all ? std::move(*all) : std::vector<engine::own_relay>();
}

std::vector<engine::own_relay> own_relays(const storage::account_store& store) {
    std::vector<engine::own_relay> out;
    (void)store.read([&](const storage::read_txn& txn) -> result<void> {
        out = own_relays(txn);
        return {};
    });
    return out;
}

}  // namespace pp::services

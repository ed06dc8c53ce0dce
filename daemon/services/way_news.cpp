#include "daemon/services/way_news.hpp"

#include "daemon/services/correspondents.hpp"
#include "daemon/services/own_relays.hpp"

namespace pp::services {

result<void> put_own_relays(storage::write_txn& txn, const std::vector<engine::own_relay>& relays,
                            const crypto::signing_key& account, storage::unix_ms now) {
    if (engine::is_news(own_relays(txn), relays, account)) {
        auto contacts = txn.contacts();
        if (!contacts) return contacts.error();
        for (const auto& who : *contacts) {
            if (!engine::hears_news(who)) continue;
            auto c = correspondent_of(txn, who.account);
            // Two changes of one moment, or a clock that went back, are two all the same.
            c.untold_since = std::max(now, c.untold_since + 1);
            if (auto r = txn.put_setting(engine::correspondent_setting(who.account), engine::encode(c)); !r) return r;
        }
    }
    return txn.put_setting(engine::own_relays_setting, engine::encode(relays));
}

std::map<crypto::account_key, storage::unix_ms> owed_news(const storage::read_txn& txn, storage::unix_ms now) {
    std::map<crypto::account_key, storage::unix_ms> out;
    auto contacts = txn.contacts();
    if (!contacts) return out;
    for (const auto& who : *contacts) {
        if (!engine::hears_news(who)) continue;
        const auto c = correspondent_of(txn, who.account);
        if (engine::is_owed(c, now)) out.emplace(who.account, c.untold_since);
    }
    return out;
}

storage::unix_ms news_in(const storage::read_txn& txn, const crypto::account_key& who, std::string_view first_slot,
                         const crypto::signing_key& account) {
    const auto since = correspondent_of(txn, who).untold_since;
    // While the list is being changed our record is of the old one for a moment.
    return since != 0 && first_slot == engine::told_slot(own_relays(txn), account) ? since : 0;
}

result<void> news_told(storage::write_txn& txn, const crypto::account_key& who, storage::unix_ms since) {
    auto c = correspondent_of(txn, who);
    if (since == 0 || c.untold_since != since) return {};
    c.untold_since = 0;
    return txn.put_setting(engine::correspondent_setting(who), engine::encode(c));
}

}  // namespace pp::services

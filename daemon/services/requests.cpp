#include "daemon/services/requests.hpp"

#include "daemon/engine/people.hpp"
#include "daemon/engine/requests.hpp"
#include "daemon/services/clock.hpp"

#include <set>

namespace pp::services {

namespace {

std::optional<crypto::account_key> sender_of(const account& mine, std::uint64_t mail_serial) {
    const auto blob = mine.store().open_blob(mail_serial);
    if (!blob) return std::nullopt;
    bytes beginning(std::min<std::uint64_t>((*blob)->size_bytes(), engine::arrival_block_bytes_max));
    const auto n = (*blob)->read(0, beginning);
    if (!n) return std::nullopt;
    beginning.resize(*n);
    return engine::sender_of_arrival(as_text(beginning), mine.domain());
}

}  // namespace

result<bool> judge_senders(storage::write_txn& txn, const account& mine, const storage::mailbox& from,
                           const storage::mailbox& to, const mail::uid_set& uids) {
    const auto failure = [](error_code e) { return result<bool>(boost::system::in_place_error, e); };
    bool changed = false;
    const auto what = engine::judgement_of(engine::place_of(from), engine::place_of(to));
    if (what == engine::judgement::none) return changed;
    std::set<crypto::account_key> senders;
    for (const auto uid : uids.values()) {
        auto message = txn.get_message(from.id, uid);
        if (!message) return failure(message.error());
        if (!*message) continue;
        if (const auto sender = sender_of(mine, (*message)->mail_serial)) senders.insert(*sender);
    }
    for (const auto& sender : senders) {
        auto known = txn.get_contact(sender);
        if (!known) return failure(known.error());
        auto after = engine::judged(*known, sender, what, now_ms());
        if (!after) continue;
        if (auto r = settle_contact(txn, *known, std::move(*after)); !r) return failure(r.error());
        changed = true;
    }
    return changed;
}

result<void> accept_recipient(storage::write_txn& txn, const crypto::account_key& recipient) {
    auto known = txn.get_contact(recipient);
    if (!known) return known.error();
    if (!*known || (*known)->blocked) return {};
    auto after = engine::wished(**known, engine::wish::accept, now_ms());
    return after ? settle_contact(txn, *known, std::move(*after)) : result<void>();
}

result<void> settle_contact(storage::write_txn& txn, const std::optional<storage::contact>& before,
                            storage::contact after, bool user_knows) {
    if (after.accepted && !(before && before->accepted) && !user_knows) {
        auto all = txn.contacts();
        if (!all) return all.error();
        if (engine::same_name_other_key(after, *all)) after.two_keys_untold = true;
    }
    if (user_knows) after.two_keys_untold = false;
    if (engine::is_out(after) && !(before && engine::is_out(*before))) {
        auto coming = txn.inbound();
        if (!coming) return coming.error();
        for (const auto& row : *coming)
            if (row.sender == after.account)
                if (auto r = txn.erase_inbound(row.notification); !r) return r;
    }
    return txn.put_contact(after);
}

}  // namespace pp::services

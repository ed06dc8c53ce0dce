#include "daemon/services/requests.hpp"

#include "daemon/engine/people.hpp"
#include "daemon/engine/requests.hpp"
#include "daemon/services/clock.hpp"

#include <set>

namespace pp::services {

result<bool> judge_senders(storage::write_txn& txn, const account& mine, const storage::mailbox& from,
                           const storage::mailbox& to, const mail::uid_set& uids) {
    const auto failure = [](error_code e) { return result<bool>(boost::system::in_place_error, e); };
    bool changed = false;
    const auto what = engine::judgement_of(engine::place_of(from), engine::place_of(to));
    if (what == engine::judgement::none) return changed;
    const mails_in_hand in_hand{from.id, uids, {}};
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
        if (after) {
            if (auto r = settle_contact(txn, mine, *known, std::move(*after), {.in_hand = in_hand}); !r)
                return failure(r.error());
            changed = true;
        } else if (what == engine::judgement::accept && engine::is_accepted_request(**known)) {
            // accepted before: mail of hers may lie here from a time when the others were left behind
            if (auto r = follow_sender(txn, mine, sender, engine::follow::to_inbox, in_hand); !r)
                return failure(r.error());
        }
    }
    return changed;
}

result<void> accept_recipient(storage::write_txn& txn, const account& mine, const crypto::account_key& recipient,
                              const std::string& answered) {
    auto known = txn.get_contact(recipient);
    if (!known) return known.error();
    if (!*known || (*known)->blocked) return {};
    auto after = engine::wished(**known, engine::wish::accept, now_ms());
    if (!after) return {};
    settling how;
    how.in_hand.answered = answered;
    return settle_contact(txn, mine, *known, std::move(*after), how);
}

result<void> settle_contact(storage::write_txn& txn, const account& mine,
                            const std::optional<storage::contact>& before, storage::contact after,
                            const settling& how) {
    if (after.accepted && !(before && before->accepted) && !how.user_knows) {
        auto all = txn.contacts();
        if (!all) return all.error();
        if (engine::same_name_other_key(after, *all)) after.two_keys_untold = true;
    }
    if (how.user_knows) after.two_keys_untold = false;
    if (engine::is_out(after) && !(before && engine::is_out(*before))) {
        auto coming = txn.inbound();
        if (!coming) return coming.error();
        for (const auto& row : *coming)
            if (row.sender == after.account)
                if (auto r = txn.erase_inbound(row.notification); !r) return r;
    }
    if (auto r = follow_sender(txn, mine, after.account, engine::follow_of(before, after), how.in_hand); !r) return r;
    return txn.put_contact(after);
}

}  // namespace pp::services

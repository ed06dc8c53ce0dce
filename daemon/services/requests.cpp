#include "daemon/services/requests.hpp"

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

result<void> judge_senders(storage::write_txn& txn, const account& mine, const storage::mailbox& from,
                           const storage::mailbox& to, const mail::uid_set& uids) {
    const auto what = engine::judgement_of(engine::place_of(from), engine::place_of(to));
    if (what == engine::judgement::none) return {};
    std::set<crypto::account_key> senders;
    for (const auto uid : uids.values()) {
        auto message = txn.get_message(from.id, uid);
        if (!message) return message.error();
        if (!*message) continue;
        if (const auto sender = sender_of(mine, (*message)->mail_serial)) senders.insert(*sender);
    }
    for (const auto& sender : senders) {
        auto known = txn.get_contact(sender);
        if (!known) return known.error();
        const auto after = engine::judged(std::move(*known), sender, what, now_ms());
        if (!after) continue;
        if (auto r = txn.put_contact(*after); !r) return r;
    }
    return {};
}

result<void> accept_recipient(storage::write_txn& txn, const crypto::account_key& recipient) {
    auto known = txn.get_contact(recipient);
    if (!known) return known.error();
    if (!*known || (*known)->accepted || (*known)->blocked) return {};
    (*known)->accepted = true;
    return txn.put_contact(**known);
}

}  // namespace pp::services

// What the courier does about people rather than mails: cuts the links of who has been blocked or removed, writes the
// mails the user is owed about keys, and forgets whom the user has removed long ago.
#include "daemon/engine/notice.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/courier.hpp"
#include "daemon/net/receiver.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/standard_mailboxes.hpp"
#include "storage/txn.hpp"

namespace pp::net {

namespace {

// The notice that is due for c, taken off it. Nothing when what it tells of is over.
std::optional<engine::notice> take_notice(storage::contact& c, std::span<const storage::contact> all) {
    if (std::exchange(c.two_keys_untold, false))
        if (const auto* other = engine::same_name_other_key(c, all); other && c.accepted && !engine::is_out(c))
            return engine::two_keys_notice(*other, c);
    if (!std::exchange(c.old_record_untold, false)) return std::nullopt;
    c.old_record_told = true;
    const auto known = peer::decode_account_record(c.record);
    if (!known) return std::nullopt;
    return engine::old_record_notice(c, static_cast<storage::unix_ms>(known->sequence));
}

}  // namespace

awaitable<void> courier::look_at_people(desk& d, const std::vector<storage::contact>& people) {
    auto& mine = *d.account;
    for (const auto& c : people) {
        if (auto link = links_.find(mine.key(), c.account)) {
            // A link that came up later stays: over it the other side is told that nothing is taken.
            const bool before = std::exchange(link->was_welcome, !engine::is_out(c));
            if (before && engine::is_out(c)) {
                services::log(services::area::peer)
                    .info("link={} event=cut reason=contact_blocked_or_removed", link->number());
                receiver_->forget(mine, c.account);
                link->close();
            }
        }
        if (!c.two_keys_untold && !c.old_record_untold) continue;
        auto due = c;
        auto notice = take_notice(due, people);
        std::shared_ptr<storage::blob_writer> blob;
        if (notice) {
            notice->address = mine.address();
            notice->name = mine.name();
            notice->now = services::now_ms();
            crypto::random_bytes(notice->dice);
            blob = std::make_shared<storage::blob_writer>(mine.store().new_blob());
            const auto text = engine::notice_mail(*notice);
            if (!blob->write(text) || !blob->finish()) continue;   // no room: with the next look
        }
        auto written = commit(node_, mine, [blob, account = c.account](storage::write_txn& txn) -> result<void> {
            auto known = txn.get_contact(account);
            if (!known) return known.error();
            if (!*known || !((*known)->two_keys_untold || (*known)->old_record_untold)) return {};
            auto all = txn.contacts();
            if (!all) return all.error();
            const bool still = take_notice(**known, *all).has_value();
            if (auto r = txn.put_contact(**known); !r || !blob || !still) return r;
            return services::file_in_inbox(txn, *blob, services::now_s());
        });
        const auto r = co_await std::move(written);
        if (r) services::log(services::area::delivery).info("event=user_told about=keys");
    }
}

awaitable<void> courier::forget_removed_contacts() {
    for (auto* a : node_.accounts()) {
        auto written = commit(node_, *a, [](storage::write_txn& txn) -> result<void> {
            auto all = txn.contacts();
            if (!all) return all.error();
            for (const auto& c : *all)
                if (engine::removed_long_ago(c, services::now_ms()))
                    if (auto r = txn.erase_contact(c.account); !r) return r;
            return {};
        });
        auto r = co_await std::move(written);
        (void)r;   // again tomorrow
    }
}

}  // namespace pp::net

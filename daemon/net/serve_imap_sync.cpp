// What an IMAP session asks to catch up: the history of the selected mailbox (RFC 7162), and the state of all the
// others (RFC 5465).
#include "daemon/net/refusals.hpp"
#include "daemon/net/serve_imap.hpp"
#include "daemon/net/serve_imap_rows.hpp"
#include "storage/txn.hpp"

#include <algorithm>

namespace pp::net {

namespace {
constexpr std::size_t history_rows_per_read = 1024;   // mails whose rows are in memory at once
}  // namespace

services::change_bus::callback imap_connection::wake_up() {
    return [weak = weak_from_this(), executor = stream_.executor()](storage::mailbox_id) {
        asio::post(executor, [weak] {
            if (const auto self = weak.lock()) {
                self->session_.news();
                self->pump_.wake();
            }
        });
    };
}

awaitable<imap::verdict> imap_connection::on(imap::read_history q) {
    auto history = account_->store().read([&](const storage::read_txn& txn) -> result<imap::mailbox_history> {
        imap::mailbox_history out;
        for (auto since = q.since_modseq;;) {
            auto changes = txn.changes_since(selected_->box, since, history_rows_per_read);
            if (!changes) return changes.error();
            // The removals do not come in pieces: those of the first answer are all.
            if (since == q.since_modseq) out.vanished = std::move(changes->vanished);
            mail::uid_set some;   // rows come in the order of mod-sequences, a set is made fastest in that of UIDs
            std::vector<std::uint32_t> uids;
            for (const auto& m : changes->changed) uids.push_back(m.uid);
            std::sort(uids.begin(), uids.end());
            for (const auto uid : uids) some.add(uid);
            out.changed.add(some);
            if (!changes->more || changes->changed.empty()) break;
            since = changes->changed.back().modseq;
        }
        return out;
    });
    using answer = imap::outcome<imap::mailbox_history>;
    if (!history) co_return answer(imap_refusal(history.error()));
    co_return answer(std::move(*history));
}

awaitable<imap::verdict> imap_connection::on(imap::survey_mailboxes) {
    using survey = std::vector<imap::surveyed_mailbox>;
    auto all = account_->store().read([](const storage::read_txn& txn) -> result<survey> {
        auto boxes = txn.mailboxes();
        auto rest = txn.subscriptions_without_mailbox();
        if (!boxes) return boxes.error();
        if (!rest) return rest.error();
        survey out;
        out.reserve(boxes->size() + rest->size());
        for (const auto& b : *boxes) {
            imap::surveyed_mailbox one;
            one.entry = {b.name, b.id, to_imap(b.use), b.subscribed, true};
            one.status = status_of(b);
            out.push_back(std::move(one));
        }
        for (const auto& name : *rest) {
            imap::surveyed_mailbox one;
            one.entry = {name, 0, imap::special_use::none, true, false};
            out.push_back(std::move(one));
        }
        return out;
    });
    if (!all) co_return imap::outcome<survey>(imap_refusal(all.error()));
    co_return imap::outcome<survey>(std::move(*all));
}

awaitable<imap::verdict> imap_connection::on(imap::watch_account q) {
    account_changes_ = {};
    if (q.on)
        account_changes_ =
            context_.node.changes().subscribe(account_->label(), services::change_bus::every_mailbox, wake_up());
    co_return imap::nothing{};
}

}  // namespace pp::net

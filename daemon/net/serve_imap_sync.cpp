// What an IMAP session asks to catch up: the history of the selected mailbox (RFC 7162), and the state of all the
// others (RFC 5465).
#include "daemon/net/refusals.hpp"
#include "daemon/net/serve_imap.hpp"
#include "daemon/net/serve_imap_rows.hpp"
#include "storage/txn.hpp"

#include <algorithm>

namespace pp::net {

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
        auto removals = txn.changes_since(selected_->box, q.since_modseq, 0);   // no rows: they all come in one piece
        if (!removals) return removals.error();
        out.vanished = std::move(removals->vanished);
        auto changed = txn.changed_since(selected_->box, q.since_modseq);
        if (!changed) return changed.error();
        std::sort(changed->begin(), changed->end());   // a set is made fastest in the order of UIDs
        for (const auto& [uid, modseq] : *changed) out.changed.add(uid);
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
        for (const auto& b : *boxes) out.push_back({entry_of(b), status_of(b)});
        for (const auto& name : *rest) out.push_back({entry_of_subscription(name), {}});
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

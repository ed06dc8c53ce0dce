// What SEARCH, SORT and THREAD ask beside rows and bodies: search fields, other mailboxes, the time.
#include "daemon/net/refusals.hpp"
#include "daemon/net/serve_imap.hpp"
#include "storage/txn.hpp"

namespace pp::net {

awaitable<imap::verdict> imap_connection::on(imap::read_search_fields q) {
    auto found = context_.node.search_fields().find(account_->store(), account_->label(), box_of(q.mailbox), q.uids,
                                                    std::chrono::steady_clock::now());
    if (!found) co_return refused<imap::search_rows>(found.error());
    co_return imap::outcome<imap::search_rows>(std::move(*found));
}

awaitable<imap::verdict> imap_connection::on(imap::look_into_mailbox q) {
    auto found = account_->store().read([&](const storage::read_txn& txn) -> result<imap::opened_mailbox> {
        auto box = txn.find_mailbox(q.name);
        if (!box) return box.error();
        if (!*box) return storage::errc::no_such_mailbox;
        auto uids = txn.uids((*box)->id);
        if (!uids) return uids.error();
        imap::opened_mailbox out;
        out.name = (*box)->name;
        out.status.mailbox = (*box)->id;
        out.status.uid_validity = (*box)->uid_validity;
        out.status.uid_next = (*box)->uid_next;
        out.status.messages = (*box)->messages;
        out.uids = std::move(*uids);
        return out;
    });
    if (!found) co_return refused<imap::opened_mailbox>(found.error());
    co_return imap::outcome<imap::opened_mailbox>(std::move(*found));
}

awaitable<imap::verdict> imap_connection::on(imap::read_clock) {
    co_return imap::outcome<std::uint64_t>(static_cast<std::uint64_t>(services::now_s()));
}

awaitable<imap::verdict> imap_connection::on(imap::let_others_run) {
    co_return imap::nothing{};   // the pump looks at the clock between two questions
}

}  // namespace pp::net

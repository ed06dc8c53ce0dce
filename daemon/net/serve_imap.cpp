// Login, mailboxes and selection; the mails themselves are in serve_imap_messages.cpp.
#include "daemon/net/serve_imap.hpp"

#include "daemon/net/await.hpp"
#include "daemon/net/refusals.hpp"
#include "daemon/net/serve_imap_rows.hpp"
#include "daemon/services/log.hpp"
#include "proto/sasl/plain.hpp"
#include "storage/txn.hpp"

#include <algorithm>
#include <limits>

namespace pp::net {

namespace {

imap::session_options imap_options(const connection_context& c) {
    auto o = session_options_of<imap::session_options>(c);
    // APPENDLIMIT and the size of a mail are numbers (RFC 7889 section 5, RFC 3501 section 9): 2^32 is none.
    o.append_bytes_max = std::min<std::uint64_t>(c.node.configuration().limits.mail_bytes_max,
                                                 std::numeric_limits<std::uint32_t>::max());
    o.server_version = PEERPOST_VERSION;
    return o;
}

// Both enumerations stand in the order of RFC 6154 (to_imap in serve_imap_rows.hpp).
storage::special_use to_storage(imap::special_use use) { return static_cast<storage::special_use>(use); }

imap::verdict refused_login() {
    return imap::outcome<imap::nothing>(imap::refusal{"AUTHENTICATIONFAILED", std::string(sasl::refused_text)});
}

imap::verdict done(const result<void>& r) {
    if (!r) return refused<imap::nothing>(r.error());
    return imap::outcome<imap::nothing>(imap::nothing{});
}

}  // namespace

imap_connection::imap_connection(any_stream stream, connection_context context)
    : client_connection(std::move(stream), context, imap_options(context)) {}

imap_connection::~imap_connection() = default;

void imap_connection::forget() {
    forget_mailbox();
    append_.reset();
    metadata_ = {};
}

awaitable<result<void>> imap_connection::commit(services::store_writer::job work) {
    return net::commit(context_.node, *account_, std::move(work));
}

awaitable<imap::verdict> imap_connection::on(imap::login q) {
    account_ = co_await desk_.password(q.user, q.password);
    if (!account_) co_return refused_login();
    co_return done({});
}

awaitable<imap::verdict> imap_connection::on(imap::start_tls) {
    co_await begin_tls();
    co_return imap::nothing{};
}

awaitable<imap::verdict> imap_connection::on(imap::start_compression) {
    const bool written = co_await pump_.flush();
    if (written && !stream_.start_deflate()) stream_.close();   // no memory: the client believes it is on
    co_return imap::nothing{};
}

awaitable<imap::verdict> imap_connection::on(imap::list_mailboxes) {
    using entries = std::vector<imap::mailbox_entry>;
    auto all = account_->store().read([](const storage::read_txn& txn) -> result<entries> {
        auto boxes = txn.mailboxes();
        auto rest = txn.subscriptions_without_mailbox();
        if (!boxes) return boxes.error();
        if (!rest) return rest.error();
        entries out;
        for (const auto& b : *boxes) out.push_back(entry_of(b));
        for (const auto& name : *rest) out.push_back(entry_of_subscription(name));
        return out;
    });
    if (!all) co_return refused<entries>(all.error());
    co_return imap::outcome<entries>(std::move(*all));
}

awaitable<imap::verdict> imap_connection::on(imap::get_status q) {
    auto box = account_->store().read([&](const storage::read_txn& txn) { return txn.find_mailbox(q.name); });
    if (!box) co_return refused<imap::mailbox_status>(box.error());
    if (!*box) co_return refused<imap::mailbox_status>(storage::errc::no_such_mailbox);
    auto status = status_of(**box);
    const auto recent = context_.node.recent().first(account_->label(), (*box)->id, (*box)->first_recent_uid);
    if ((*box)->uid_next > recent) status.recent = std::min((*box)->uid_next - recent, status.messages);
    if (q.with_deleted_bytes && status.deleted > 0) {
        const auto bytes = deleted_bytes_of(**box);
        if (!bytes) co_return refused<imap::mailbox_status>(bytes.error());
        status.deleted_bytes = *bytes;
    }
    co_return imap::outcome<imap::mailbox_status>(std::move(status));
}

awaitable<imap::verdict> imap_connection::on(imap::create_mailbox q) {
    auto id = std::make_shared<std::uint64_t>(0);
    auto written = commit([q, id](storage::write_txn& txn) -> result<void> {
        auto made = txn.create_mailbox(q.name, to_storage(q.use));
        if (!made) return made.error();
        *id = *made;
        return {};
    });
    const auto r = co_await std::move(written);
    if (!r) co_return refused<std::uint64_t>(r.error());
    co_return imap::outcome<std::uint64_t>(*id);
}

awaitable<imap::verdict> imap_connection::on(imap::delete_mailbox q) {
    auto written = commit([q](storage::write_txn& txn) { return txn.delete_mailbox(q.name); });
    co_return done(co_await std::move(written));
}

awaitable<imap::verdict> imap_connection::on(imap::rename_mailbox q) {
    auto written = commit([q](storage::write_txn& txn) { return txn.rename_mailbox(q.from, q.to); });
    co_return done(co_await std::move(written));
}

awaitable<imap::verdict> imap_connection::on(imap::subscribe_mailbox q) {
    auto written = commit([q](storage::write_txn& txn) { return txn.set_subscribed(q.name, q.subscribed); });
    co_return done(co_await std::move(written));
}

mail::uid_set imap_connection::recent_mails(const storage::mailbox& box, bool read_only) {
    auto& all = context_.node.recent();
    const auto first = read_only ? all.first(account_->label(), box.id, box.first_recent_uid)
                                 : all.claim(account_->label(), box.id, box.first_recent_uid, box.uid_next);
    return first < box.uid_next ? mail::uid_set::of(first, box.uid_next - 1) : mail::uid_set();
}

awaitable<imap::verdict> imap_connection::on(imap::open_mailbox q) {
    forget_mailbox();
    // Listen first, then look: a change between the two is told twice at most, never missed.
    auto found = account_->store().read([&](const storage::read_txn& txn) { return txn.find_mailbox(q.name); });
    if (!found) co_return refused<imap::opened_mailbox>(found.error());
    if (!*found) co_return refused<imap::opened_mailbox>(storage::errc::no_such_mailbox);
    const auto id = (*found)->id;

    auto recent = recent_mails(**found, q.read_only);
    if (!q.read_only && (*found)->uid_next > (*found)->first_recent_uid) {
        auto written = commit([id](storage::write_txn& txn) -> result<void> {
            auto first = txn.claim_recent(id);
            if (!first) return first.error();
            return {};
        });
        co_await std::move(written);   // a full disk must not keep anybody from reading
    }

    selected_mailbox selected;
    selected.box = id;
    selected.changes = context_.node.changes().subscribe(account_->label(), id, wake_up());
    auto opened = account_->store().read([&](const storage::read_txn& txn) -> result<imap::opened_mailbox> {
        auto box = txn.get_mailbox(id);
        if (!box) return box.error();
        if (!*box) return storage::errc::no_such_mailbox;
        auto uids = txn.uids(id);
        if (!uids) return uids.error();
        auto unseen = txn.first_unseen(id);
        if (!unseen) return unseen.error();
        auto keywords = txn.keywords(id);
        if (!keywords) return keywords.error();
        imap::opened_mailbox out;
        out.recent = recent_mails(**box, q.read_only);   // those that came while it was noted in the store
        out.name = (*box)->name;
        out.status = status_of(**box);
        out.uids = std::move(*uids);
        out.keywords = std::move(*keywords);
        if (*unseen) {
            const auto at = std::lower_bound(out.uids.begin(), out.uids.end(), **unseen);
            out.first_unseen = static_cast<std::uint32_t>(at - out.uids.begin()) + 1;
        }
        return out;
    });
    if (!opened) co_return refused<imap::opened_mailbox>(opened.error());
    opened->recent.add(recent);
    selected.read_only = q.read_only;
    selected.uid_next = opened->status.uid_next;
    selected.name = opened->name;
    selected_ = std::move(selected);
    co_return imap::outcome<imap::opened_mailbox>(std::move(*opened));
}

awaitable<imap::verdict> imap_connection::on(imap::close_mailbox) {
    forget_mailbox();
    co_return imap::nothing{};
}

awaitable<imap::verdict> imap_connection::on(imap::client_id q) {
    services::log(services::area::imap)
        .debug("connection={} event=client name={} version={}", number_, services::field(q.name),
               services::field(q.version));
    co_return imap::nothing{};
}

void imap_connection::forget_mailbox() {
    selected_.reset();
    body_ = {};
    found_ = {};
}

}  // namespace pp::net

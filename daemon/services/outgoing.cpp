#include "daemon/services/outgoing.hpp"

#include "daemon/engine/outgoing.hpp"
#include "daemon/services/standard_mailboxes.hpp"

#include <limits>
#include <map>

namespace pp::services {

namespace {

// In outgoing_uid: the user does not want to see it any more, and it cannot be cancelled.
constexpr auto hidden_uid = std::numeric_limits<std::uint32_t>::max();

using submission = std::vector<storage::outbox_row>;   // the open rows of one mail

result<std::vector<submission>> open_submissions(const storage::read_txn& txn) {
    auto rows = txn.outbox(true);
    if (!rows) return rows.error();
    std::vector<submission> all;
    std::map<storage::id16, std::size_t> places;
    for (auto& row : *rows) {
        const auto [at, is_new] = places.emplace(row.submission, all.size());
        if (is_new) all.emplace_back();
        all[at->second].push_back(std::move(row));
    }
    return all;
}

std::uint32_t uid_of(const submission& rows) {
    for (const auto& row : rows)
        if (row.outgoing_uid != 0) return row.outgoing_uid;
    return 0;
}

enum class step : std::uint8_t { none, place, mark, cancel };

// What one mail needs; `box` is nullopt while there is no mailbox Outgoing.
result<step> step_for(const storage::read_txn& txn, const std::optional<storage::mailbox>& box, const submission& rows,
                      storage::unix_ms now) {
    const auto uid = uid_of(rows);
    if (uid == hidden_uid) return step::none;
    if (uid == 0) return engine::belongs_in_outgoing(rows, now) ? step::place : step::none;
    if (!box) return step::cancel;   // deleted with its mailbox
    auto shown = txn.get_message(box->id, uid);
    if (!shown) return shown.error();
    if (!*shown || (*shown)->mail_serial != rows.front().mail_serial) return step::cancel;
    return (*shown)->flags.keywords == engine::outgoing_flags(rows, now).keywords ? step::none : step::mark;
}

result<void> set_uid(storage::write_txn& txn, submission& rows, std::uint32_t uid) {
    for (auto& row : rows) {
        row.outgoing_uid = uid;
        if (auto r = txn.put_outbox(row); !r) return r;
    }
    return {};
}

result<void> place(storage::write_txn& txn, submission& rows, storage::unix_ms now) {
    auto box = standard_mailbox(txn, storage::special_use::none, engine::outgoing_name);
    if (!box) return box.error();
    storage::new_mail what;
    what.box = *box;
    what.flags = engine::outgoing_flags(rows, now);
    what.internal_date = {rows.front().submitted_at / 1000, 0};
    what.message_id = rows.front().message_id;
    auto placed = txn.add_copy(what, rows.front().mail_serial);
    if (!placed) return placed.error();
    return set_uid(txn, rows, placed->uid);
}

result<void> mark(storage::write_txn& txn, const storage::mailbox& box, const submission& rows, storage::unix_ms now) {
    const auto uid = uid_of(rows);
    mail::uid_set refused;
    auto marked = txn.change_flags(box.id, mail::uid_set::of(uid, uid), storage::write_txn::flag_change::replace,
                                   engine::outgoing_flags(rows, now), std::nullopt, refused);
    if (!marked) return marked.error();
    return {};
}

result<void> cancel(storage::write_txn& txn, submission& rows, storage::unix_ms now) {
    for (auto& row : rows) row = engine::cancelled(std::move(row), now);
    return set_uid(txn, rows, hidden_uid);
}

}  // namespace

result<outgoing_change> outgoing_due(const storage::read_txn& txn, storage::unix_ms now) {
    auto due = outgoing_change::none;
    auto all = open_submissions(txn);
    if (!all) return all.error();
    if (all->empty()) return due;
    auto box = txn.find_mailbox(engine::outgoing_name);
    if (!box) return box.error();
    for (const auto& rows : *all) {
        auto next = step_for(txn, *box, rows, now);
        if (!next) return next.error();
        if (*next == step::cancel) return outgoing_change::cancel;
        if (*next != step::none) due = outgoing_change::update;
    }
    return due;
}

result<outgoing_change> update_outgoing(storage::write_txn& txn, storage::unix_ms now) {
    auto done = outgoing_change::none;
    auto all = open_submissions(txn);
    if (!all) return all.error();
    auto box = txn.find_mailbox(engine::outgoing_name);
    if (!box) return box.error();
    for (auto& rows : *all) {
        auto next = step_for(txn, *box, rows, now);
        if (!next) return next.error();
        if (*next == step::none) continue;
        const auto r = *next == step::place  ? place(txn, rows, now)
                       : *next == step::mark ? mark(txn, **box, rows, now)
                                             : cancel(txn, rows, now);
        if (!r) return r.error();
        if (done != outgoing_change::cancel)
            done = *next == step::cancel ? outgoing_change::cancel : outgoing_change::update;
    }
    return done;
}

result<void> leave_outgoing(storage::write_txn& txn, const storage::outbox_row& row) {
    if (row.outgoing_uid == 0 || row.outgoing_uid == hidden_uid) return {};
    auto open = txn.outbox(true);
    if (!open) return open.error();
    for (const auto& other : *open)
        if (other.submission == row.submission && other.id != row.id) return {};
    auto box = txn.find_mailbox(engine::outgoing_name);
    if (!box) return box.error();
    if (!*box) return {};
    auto shown = txn.get_message((*box)->id, row.outgoing_uid);
    if (!shown) return shown.error();
    if (!*shown || (*shown)->mail_serial != row.mail_serial) return {};
    return remove_mail(txn, (*box)->id, row.outgoing_uid);
}

}  // namespace pp::services

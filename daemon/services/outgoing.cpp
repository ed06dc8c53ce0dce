#include "daemon/services/outgoing.hpp"

#include "daemon/engine/delivery.hpp"
#include "daemon/engine/delivery_report.hpp"
#include "daemon/engine/delivery_words.hpp"
#include "daemon/engine/outgoing.hpp"
#include "daemon/services/leftovers.hpp"
#include "daemon/services/standard_mailboxes.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace pp::services {

namespace {

// In outgoing_uid: the user does not want to see it any more, and it cannot be cancelled.
constexpr auto hidden_uid = std::numeric_limits<std::uint32_t>::max();

using submission = std::vector<storage::outbox_row>;   // the open rows of one mail

result<submission> open_rows(const storage::read_txn& txn, const std::vector<storage::id16>& ids) {
    submission out;
    for (const auto& id : ids) {
        auto row = txn.get_outbox(id);
        if (!row) return row.error();
        if (*row && engine::is_open(**row)) out.push_back(std::move(**row));
    }
    return out;
}

std::uint32_t uid_of(const submission& rows) {
    for (const auto& row : rows)
        if (row.outgoing_uid != 0) return row.outgoing_uid;
    return 0;
}

enum class step : std::uint8_t { none, place, mark, cancel };

// Whether the message is the one that was placed for these rows: also one from before peerpost wrote notes of its own,
// a copy of the mail itself. The user may have made the mailbox anew, and other mail may have the UID.
enum class whose : std::uint8_t { ours, users };
result<whose> whose_is(const storage::read_txn& txn, const storage::message& shown, const submission& rows,
                       std::string_view domain) {
    if (shown.mail_serial == rows.front().mail_serial) return whose::ours;
    for (const auto keyword : engine::outgoing_keywords) {
        auto found =
            txn.find_by_message_id(shown.box, engine::outgoing_message_id(rows.front().submission, keyword, domain), 0);
        if (!found) return found.error();
        if (*found && (*found)->uid == shown.uid) return whose::ours;
    }
    return whose::users;
}

// What one mail needs; `box` is nullopt while there is no mailbox Outgoing.
result<step> step_for(const storage::read_txn& txn, const std::optional<storage::mailbox>& box, const submission& rows,
                      std::string_view domain, storage::unix_ms now) {
    const auto uid = uid_of(rows);
    if (uid == hidden_uid) return step::none;
    if (uid == 0) return engine::belongs_in_outgoing(rows, now) ? step::place : step::none;
    if (!box) return step::cancel;   // deleted with its mailbox
    auto shown = txn.get_message(box->id, uid);
    if (!shown) return shown.error();
    if (!*shown) return step::cancel;
    auto owner = whose_is(txn, **shown, rows, domain);
    if (!owner) return owner.error();
    if (*owner == whose::users) return step::cancel;
    const auto& shown_words = (*shown)->flags.keywords;   // the user may have added some
    const auto word = engine::outgoing_flags(rows, now).keywords.front();
    const bool tells = std::find(shown_words.begin(), shown_words.end(), word) != shown_words.end();
    return tells && (*shown)->mail_serial != rows.front().mail_serial ? step::none : step::mark;
}

result<void> set_uid(storage::write_txn& txn, submission& rows, std::uint32_t uid) {
    for (auto& row : rows) {
        row.outgoing_uid = uid;
        if (auto r = txn.put_outbox(row); !r) return r;
        if (auto r = note_leftover(txn, row); !r) return r;
    }
    return {};
}

result<void> place(storage::write_txn& txn, submission& rows, outgoing_note& note) {
    auto box = standard_mailbox(txn, storage::special_use::none, engine::outgoing_name);
    if (!box) return box.error();
    storage::new_mail what;
    what.box = *box;
    what.flags.system = mail::seen;
    what.flags.keywords = {note.keyword};
    what.internal_date = {rows.front().submitted_at / 1000, 0};
    what.message_id = note.message_id;
    auto placed = txn.add_mail(what, note.blob);
    if (!placed) return placed.error();
    return set_uid(txn, rows, placed->uid);
}

// A mail cannot be changed (RFC 9051 section 2.3.1.1): the old one goes, the new one comes, seen by nobody in between.
result<void> mark(storage::write_txn& txn, const storage::mailbox& box, submission& rows, outgoing_note& note) {
    if (auto r = remove_mail(txn, box.id, uid_of(rows)); !r) return r;
    return place(txn, rows, note);
}

// Where the user has put the old note (Trash, as mail programs delete) lies the new one then; nobody sees both.
result<void> replace_deleted(storage::write_txn& txn, const submission& rows, outgoing_note& note,
                             std::string_view domain) {
    auto boxes = txn.mailboxes();
    if (!boxes) return boxes.error();
    std::optional<std::uint64_t> serial;
    for (const auto& box : *boxes)
        for (const auto keyword : engine::outgoing_keywords) {
            const auto message_id = engine::outgoing_message_id(rows.front().submission, keyword, domain);
            auto old = txn.find_by_message_id(box.id, message_id, 0);
            if (!old) return old.error();
            if (!*old) continue;
            storage::new_mail what;
            what.box = box.id;
            what.flags = (*old)->flags;
            what.flags.remove(keyword);
            what.flags.add(note.keyword);
            what.internal_date = (*old)->internal_date;
            what.message_id = note.message_id;
            auto placed = serial ? txn.add_copy(what, *serial) : txn.add_mail(what, note.blob);
            if (!placed) return placed.error();
            serial = placed->mail_serial;
            if (auto r = remove_mail(txn, box.id, (*old)->uid); !r) return r;
        }
    return {};
}

result<void> cancel(storage::write_txn& txn, submission& rows, outgoing_note& note, std::string_view domain,
                    storage::unix_ms now) {
    for (auto& row : rows) row = engine::cancelled(std::move(row), now);
    // Had the rows come further since it was written, nothing is said rather than something that is not so.
    engine::outgoing_mail after{rows, {}, {}, now, {}, true};
    if (note.keyword == engine::outgoing_keyword(after))
        if (auto r = replace_deleted(txn, rows, note, domain); !r) return r;
    return set_uid(txn, rows, hidden_uid);
}

}  // namespace

result<std::vector<outgoing_note>> outgoing_due(storage::account_store& store,
                                                const std::vector<std::vector<storage::id16>>& mails,
                                                const outgoing_facts& facts, storage::unix_ms now) {
    struct wanting_note {
        submission rows;
        bool was_deleted;
    };
    std::vector<wanting_note> wanting;
    auto looked = store.read([&](const storage::read_txn& txn) -> result<void> {
        auto box = txn.find_mailbox(engine::outgoing_name);
        if (!box) return box.error();
        for (const auto& ids : mails) {
            auto rows = open_rows(txn, ids);
            if (!rows) return rows.error();
            if (rows->empty()) continue;
            auto next = step_for(txn, *box, *rows, facts.domain, now);
            if (!next) return next.error();
            if (*next != step::none) wanting.push_back({std::move(*rows), *next == step::cancel});
        }
        return {};
    });
    if (!looked) return looked.error();
    std::vector<outgoing_note> notes;
    for (auto& [rows, was_deleted] : wanting) {
        if (was_deleted)
            for (auto& row : rows) row = engine::cancelled(std::move(row), now);
        engine::outgoing_mail m{std::move(rows), {}, facts.domain, now, facts.times, was_deleted};
        if (const auto original = store.open_blob(m.rows.front().mail_serial)) {
            bytes beginning(static_cast<std::size_t>(
                std::min<std::uint64_t>((*original)->size_bytes(), engine::returned_header_bytes_max)));
            const auto n = (*original)->read(0, beginning);
            beginning.resize(n ? *n : 0);
            m.subject = engine::subject_in(engine::header_of(as_text(beginning)));
        }
        const auto keyword = engine::outgoing_keyword(m);
        const auto submission = m.rows.front().submission;
        std::vector<storage::id16> ids;
        for (const auto& row : m.rows) ids.push_back(row.id);
        auto message_id = engine::outgoing_message_id(submission, keyword, facts.domain);
        outgoing_note note{submission, std::move(ids), keyword, std::move(message_id), was_deleted, store.new_blob()};
        if (auto r = note.blob.write(engine::outgoing_text(m)); !r) return r.error();
        if (auto r = note.blob.finish(); !r) return r.error();
        notes.push_back(std::move(note));
    }
    return notes;
}

result<outgoing_change> update_outgoing(storage::write_txn& txn, std::vector<outgoing_note>& notes,
                                        const outgoing_facts& facts, storage::unix_ms now) {
    auto done = outgoing_change::none;
    for (auto& note : notes) {
        auto open = open_rows(txn, note.rows);
        if (!open) return open.error();
        auto& rows = *open;
        if (rows.empty()) continue;
        auto box = txn.find_mailbox(engine::outgoing_name);   // the first note may make it
        if (!box) return box.error();
        auto next = step_for(txn, *box, rows, facts.domain, now);
        if (!next) return next.error();
        if (*next == step::none) continue;
        // It has come further, or was deleted, since the note was written: the next look writes another.
        if ((*next == step::cancel) != note.was_deleted) continue;
        if (*next != step::cancel && note.keyword != engine::outgoing_flags(rows, now).keywords.front()) continue;
        const auto r = *next == step::place  ? place(txn, rows, note)
                       : *next == step::mark ? mark(txn, **box, rows, note)
                                             : cancel(txn, rows, note, facts.domain, now);
        if (!r) return r.error();
        if (done != outgoing_change::cancel)
            done = *next == step::cancel ? outgoing_change::cancel : outgoing_change::update;
    }
    return done;
}

result<void> leave_outgoing(storage::write_txn& txn, const storage::outbox_row& row, std::string_view domain) {
    if (row.outgoing_uid == 0 || row.outgoing_uid == hidden_uid) return {};
    auto all = txn.outbox_of_mail(row.mail_serial);
    if (!all) return all.error();
    for (const auto& other : *all)
        if (other.submission == row.submission && other.id != row.id && engine::is_open(other)) return {};
    auto box = txn.find_mailbox(engine::outgoing_name);
    if (!box) return box.error();
    if (!*box) return {};
    auto shown = txn.get_message((*box)->id, row.outgoing_uid);
    if (!shown) return shown.error();
    if (!*shown) return {};
    auto owner = whose_is(txn, **shown, {row}, domain);
    if (!owner) return owner.error();
    if (*owner == whose::users) return {};
    return remove_mail(txn, (*box)->id, row.outgoing_uid);
}

}  // namespace pp::services

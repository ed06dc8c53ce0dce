// The mails of the selected mailbox. APPEND is in serve_imap_append.cpp.
#include "daemon/net/await.hpp"
#include "daemon/net/refusals.hpp"
#include "daemon/net/serve_imap.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/requests.hpp"
#include "storage/txn.hpp"

#include <algorithm>

namespace pp::net {

namespace {

constexpr std::size_t changes_per_read = 256;

imap::message_row row_of(const storage::message& m) {
    imap::message_row row;
    row.uid = m.uid;
    row.modseq = m.modseq;
    row.flags = m.flags;
    row.internal_date = m.internal_date;
    row.save_date = m.save_date;
    row.size_bytes = m.size_bytes;
    row.email_id = "M" + std::to_string(m.mail_serial);
    return row;
}

// What of a row may be large in memory, near enough: a part or an address is larger than its text.
std::size_t weight_of(const imap::message_row& row) {
    auto bytes = row.header.size() + row.encoded_index.size() + row.structure.size();
    if (!row.index) return bytes;
    bytes += row.index->parts.size() * sizeof(mail::message_part);
    for (const auto& e : row.index->envelopes)
        for (const auto* list : {&e.from, &e.sender, &e.reply_to, &e.to, &e.cc, &e.bcc})
            bytes += list->size() * sizeof(mail::header_address);
    return bytes;
}

}  // namespace

// ---------------------------------------------------------------- reading

result<std::string> imap_connection::header_of(const storage::message& m, const mail::message_index& index) {
    auto reader = account_->store().open_blob(m.mail_serial);
    if (!reader) return reader.error();
    std::string header(std::min<std::uint64_t>(index.parts.front().header_bytes, mail::header_block_bytes_max), '\0');
    const auto n = (*reader)->read(0, std::as_writable_bytes(std::span(header)));
    if (!n) return n.error();
    header.resize(*n);
    return header;
}

awaitable<imap::verdict> imap_connection::on(imap::read_rows q) {
    using rows = std::vector<imap::message_row>;
    const auto box = box_of(q.mailbox);
    auto found = account_->store().read([&](const storage::read_txn& txn) -> result<rows> {
        rows out;
        out.reserve(std::min<std::uint64_t>(q.uids.count(), imap::rows_per_question_max));
        const bool may_be_large = q.with_index || q.with_encoded_index || q.with_structure || q.with_header;
        std::size_t weight = 0;   // of the rows so far
        for (const auto& range : q.uids.ranges()) {
            std::uint32_t from = range.first;
            while (from <= range.last) {
                const auto wanted =
                    std::min<std::uint64_t>(imap::rows_per_question_max, std::uint64_t{range.last} - from + 1);
                auto messages = txn.messages(box, from, wanted);
                if (!messages) return messages.error();
                for (const auto& m : *messages) {
                    if (m.uid > range.last) break;
                    if (q.changed_since && m.modseq <= *q.changed_since) continue;
                    auto row = row_of(m);
                    if (may_be_large && weight >= imap::rows_bytes_enough) {
                        row.left_out = true;
                        out.push_back(std::move(row));
                        continue;
                    }
                    if (q.with_thread) {
                        auto thread = txn.thread_of(m.mail_serial);
                        if (!thread) return thread.error();
                        row.thread_id = "T" + std::to_string(*thread);
                    }
                    if (q.with_index) {
                        auto index = txn.index_of(m.mail_serial);
                        if (!index) return index.error();
                        row.index = std::move(*index);
                    }
                    if (q.with_structure) {
                        auto text = txn.structure_text(m.mail_serial);
                        if (!text) return text.error();
                        if (*text) row.structure = std::move(**text);
                    }
                    if (q.with_encoded_index || (q.with_structure && row.structure.empty())) {
                        auto index = txn.encoded_index(m.mail_serial);
                        if (!index) return index.error();
                        row.encoded_index = std::move(*index);
                    }
                    if (q.with_header && q.listed_header) {
                        const auto listed = txn.listed_header(m.mail_serial);
                        if (!listed) return listed.error();
                        row.header_is_listed = listed->has_value();
                        if (*listed) row.header = as_text(**listed);
                    }
                    if (q.with_header && !row.header_is_listed) {
                        if (!row.index) {
                            auto index = txn.index_of(m.mail_serial);
                            if (!index) return index.error();
                            row.index = std::move(*index);
                        }
                        auto header = header_of(m, *row.index);
                        if (!header) return header.error();
                        row.header = std::move(*header);
                    }
                    weight += weight_of(row);
                    out.push_back(std::move(row));
                }
                if (messages->size() < wanted || messages->back().uid >= range.last) break;
                from = messages->back().uid + 1;
            }
        }
        return out;
    });
    if (!found) co_return refused<rows>(found.error());
    co_return imap::outcome<rows>(std::move(*found));
}

awaitable<imap::verdict> imap_connection::on(imap::read_body q) {
    const auto box = box_of(q.mailbox);
    auto message = account_->store().read([&](const storage::read_txn& txn) { return txn.get_message(box, q.uid); });
    if (!message) co_return refused<bytes>(message.error());
    if (*message && (*message)->mail_serial != body_.mail_serial) {
        auto reader = account_->store().open_blob((*message)->mail_serial);
        if (!reader) co_return refused<bytes>(reader.error());
        body_ = {(*message)->mail_serial, box, std::move(*reader)};
        body_uid_ = q.uid;
    }
    // Expunged meanwhile: what was begun can be ended from the reader that is still open.
    if (!*message && (body_uid_ != q.uid || body_.box != box || !body_.reader))
        co_return refused<bytes>(storage::errc::not_found);
    if (*message) {
        body_uid_ = q.uid;
        body_.box = box;
    }
    if (account_->is_damaged(body_.mail_serial, q.offset + q.length, q.literal_end))
        co_return refused<bytes>(storage::errc::damaged);
    const auto end =
        std::min(body_.reader->size_bytes(), q.offset + std::min<std::uint64_t>(q.length, imap::body_piece_bytes_max));
    bytes data(end > q.offset ? end - q.offset : 0);
    const auto n = body_.reader->read(q.offset, data);
    if (!n) {
        if (n.error() == storage::errc::damaged) account_->note_damaged(body_.mail_serial, q.offset);
        services::log(services::area::imap)
            .error("connection={} event=mail_unreadable reason={}", number_, services::field(n.error().message()));
        co_return refused<bytes>(n.error());
    }
    data.resize(*n);
    co_return imap::outcome<bytes>(std::move(data));
}

awaitable<imap::verdict> imap_connection::on(imap::poll_changes q) {
    auto delta = account_->store().read([&](const storage::read_txn& txn) -> result<imap::mailbox_delta> {
        imap::mailbox_delta out;
        out.highest_modseq = q.since_modseq;
        auto box = txn.get_mailbox(selected_->box);
        if (!box) return box.error();
        if (!*box) {
            out.gone = true;
            return out;
        }
        auto since = q.since_modseq;
        while (true) {
            auto changes = txn.changes_since(selected_->box, since, changes_per_read);
            if (!changes) return changes.error();
            out.vanished.add(changes->vanished);
            for (const auto& m : changes->changed)
                if (m.uid >= selected_->uid_next)
                    out.added.push_back(m.uid);
                else
                    out.changed.push_back(row_of(m));
            out.highest_modseq = changes->highest_modseq;
            if (!changes->more || changes->changed.empty()) break;
            since = changes->changed.back().modseq;
        }
        std::sort(out.added.begin(), out.added.end());
        out.added.erase(std::unique(out.added.begin(), out.added.end()), out.added.end());
        if (!out.added.empty()) out.recent = recent_mails(**box, selected_->read_only);
        selected_->uid_next = (*box)->uid_next;
        return out;
    });
    if (!delta) co_return refused<imap::mailbox_delta>(delta.error());
    context_.node.search_fields().forget(account_->label(), selected_->box, delta->vanished);
    co_return imap::outcome<imap::mailbox_delta>(std::move(*delta));
}

// ---------------------------------------------------------------- changing

awaitable<imap::verdict> imap_connection::on(imap::store_flags q) {
    auto stored = std::make_shared<imap::stored_flags>();
    auto written = commit([q, box = selected_->box, stored](storage::write_txn& txn) -> result<void> {
        using change = storage::write_txn::flag_change;
        const auto how = q.mode == imap::store_mode::replace ? change::replace
                         : q.mode == imap::store_mode::add   ? change::add
                                                             : change::remove;
        *stored = {};
        auto was = txn.get_mailbox(box);
        if (!was) return was.error();
        const bool knows_all = q.known_modseq && *was && (*was)->highest_modseq == *q.known_modseq;
        if (q.known_modseq && !knows_all) {
            auto changed = txn.changed_since(box, *q.known_modseq);
            if (!changed) return changed.error();
            for (const auto& [uid, modseq] : *changed)
                if (q.uids.contains(uid)) stored->before.emplace_back(uid, modseq);
        }
        std::sort(stored->before.begin(), stored->before.end());
        auto rows = txn.change_flags(box, q.uids, how, q.flags, q.unchanged_since, stored->modified);
        if (!rows) return rows.error();
        stored->rows.reserve(rows->size());
        for (const auto& m : *rows) stored->rows.push_back(row_of(m));
        if (knows_all) {
            auto now = txn.get_mailbox(box);
            if (!now) return now.error();
            if (*now) stored->known_to = (*now)->highest_modseq;
        }
        return {};
    });
    const auto r = co_await std::move(written);
    if (!r) co_return refused<imap::stored_flags>(r.error());
    co_return imap::outcome<imap::stored_flags>(std::move(*stored));
}

awaitable<imap::verdict> imap_connection::on(imap::copy_messages q) {
    const auto room = q.move ? result<void>() : check_quota(0, q.uids.count());   // a copy shares the bytes
    if (!room) co_return refused<imap::copied>(room.error());
    auto copied = std::make_shared<imap::copied>();
    auto judged = std::make_shared<bool>(false);
    auto written =
        commit([q, box = selected_->box, copied, judged, mine = account_](storage::write_txn& txn) -> result<void> {
            auto to = txn.find_mailbox(q.to);
            if (!to) return to.error();
            if (!*to) return storage::errc::no_such_mailbox;
            auto here = txn.get_mailbox(box);
            if (!here) return here.error();
            if (!*here) return storage::errc::not_found;
            // out of Requests, or into it: says what the user thinks of who wrote them
            auto some = services::judge_senders(txn, *mine, **here, **to, q.uids);
            if (!some) return some.error();
            *judged = *some;
            auto pairs = txn.copy(box, q.uids, (*to)->id, q.move);
            if (!pairs) return pairs.error();
            *copied = {};
            copied->uid_validity = (*to)->uid_validity;
            for (const auto& [from, into] : *pairs) {
                copied->from.push_back(from);
                copied->to.push_back(into);
            }
            return {};
        });
    const auto r = co_await std::move(written);
    if (r.has_error() && r.error() == storage::errc::no_such_mailbox) {
        imap::outcome<imap::copied> no(imap::refusal{"TRYCREATE", "there is no such mailbox; create it first"});
        co_return no;
    }
    if (!r) co_return refused<imap::copied>(r.error());
    if (*judged) context_.node.delivery_work(account_->label());   // somebody is blocked: her link ends now
    co_return imap::outcome<imap::copied>(std::move(*copied));
}

awaitable<imap::verdict> imap_connection::on(imap::expunge_messages q) {
    auto gone = std::make_shared<mail::uid_set>();
    auto written = commit([q, box = selected_->box, gone](storage::write_txn& txn) -> result<void> {
        auto went = txn.expunge(box, q.uids);
        if (!went) return went.error();
        *gone = std::move(*went);
        return {};
    });
    const auto r = co_await std::move(written);
    if (!r) co_return refused<mail::uid_set>(r.error());
    co_return imap::outcome<mail::uid_set>(std::move(*gone));
}

}  // namespace pp::net

// The mails of the selected mailbox, and APPEND.
#include "daemon/net/await.hpp"
#include "daemon/net/refusals.hpp"
#include "daemon/net/serve_common.hpp"
#include "daemon/net/serve_imap.hpp"
#include "daemon/services/log.hpp"
#include "storage/txn.hpp"

#include <algorithm>
#include <filesystem>

namespace pp::net {

namespace {

// A client that APPENDs what it has just submitted gets the copy that is in Sent already (01-product 1.4).
constexpr storage::unix_ms sent_window_ms = 10 * 60 * 1000;
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

template <class T>
imap::verdict refused(error_code why) {
    return imap::outcome<T>(imap_refusal(why));
}

// The client's copy may have a Bcc field that the submitted mail has lost; everything below the header is the same.
// Another mail that only carries the same Message-ID is kept like any other.
bool same_mail(const mail::message_index& filed, const mail::message_index& given) {
    return filed.parts.size() == given.parts.size() &&
           filed.parts.front().body_bytes == given.parts.front().body_bytes &&
           filed.envelopes.front().subject == given.envelopes.front().subject;
}

bool is_sent(const storage::mailbox& box) { return box.use == storage::special_use::sent; }

mail::date_time now_date() { return {services::now_s(), 0}; }

}  // namespace

// ---------------------------------------------------------------- APPEND

awaitable<imap::verdict> imap_connection::on(imap::append_begin q) {
    auto box = account_->store().read([&](const storage::read_txn& txn) { return txn.find_mailbox(q.mailbox); });
    if (!box) co_return refused<imap::nothing>(box.error());
    if (!*box) {
        imap::outcome<imap::nothing> no(imap::refusal{"TRYCREATE", "there is no such mailbox; create it first"});
        co_return no;
    }
    if (q.size_bytes > context_.node.configuration().limits.mail_bytes_max)
        co_return refused<imap::nothing>(storage::errc::too_large);
    std::error_code ignored;
    const auto space = std::filesystem::space(context_.node.home().root, ignored);
    if (!ignored && space.available < q.size_bytes + context_.node.configuration().limits.reserve_bytes)
        co_return refused<imap::nothing>(storage::errc::full);

    append_.emplace();
    append_->box = std::move(**box);
    append_->flags = std::move(q.flags);
    append_->internal_date = q.internal_date.value_or(now_date());
    append_->internal_date.unix_seconds = std::max(append_->internal_date.unix_seconds, mail::oldest_internal_date);
    append_->blob.emplace(account_->store().new_blob());
    co_return imap::outcome<imap::nothing>(imap::nothing{});
}

awaitable<imap::verdict> imap_connection::on(imap::append_chunk q) {
    if (append_ && !append_->failed)
        if (auto r = append_->blob->write(q.data); !r) append_->failed = r.error();   // told at the end
    co_return imap::nothing{};
}

awaitable<imap::verdict> imap_connection::on(imap::append_end) {
    auto append = std::move(*append_);
    append_.reset();
    if (append.failed) co_return refused<imap::appended>(append.failed);
    auto blob = std::make_shared<storage::blob_writer>(std::move(*append.blob));
    const auto finished = co_await finish_blob(context_.workers, blob);
    if (!finished) co_return refused<imap::appended>(finished.error());

    storage::new_mail what;
    what.box = append.box.id;
    what.flags = append.flags;
    what.internal_date = append.internal_date;
    what.message_id = blob->index().envelopes.front().message_id.value_or("");
    const bool same_as_sent = is_sent(append.box) && !what.message_id.empty() &&
                              context_.node.configuration().sent == services::sent_rule::automatic;
    auto place = std::make_shared<imap::appended>();
    auto written = commit([blob, what, same_as_sent, place](storage::write_txn& txn) -> result<void> {
        if (same_as_sent) {
            auto copy = txn.find_by_message_id(what.box, what.message_id, services::now_ms() - sent_window_ms);
            if (!copy) return copy.error();
            bool same = false;
            if (*copy) {
                auto filed = txn.index_of((*copy)->mail_serial);
                if (!filed) return filed.error();
                same = same_mail(**filed, blob->index());
            }
            if (same) {
                mail::uid_set refused_uids, uids = mail::uid_set::of((*copy)->uid, (*copy)->uid);
                auto changed = txn.change_flags(what.box, uids, storage::write_txn::flag_change::add, what.flags,
                                                std::nullopt, refused_uids);
                if (!changed) return changed.error();
                auto box = txn.get_mailbox(what.box);
                if (!box) return box.error();
                *place = {(*box)->uid_validity, (*copy)->uid};
                return {};
            }
        }
        auto placed = txn.add_mail(what, *blob);
        if (!placed) return placed.error();
        *place = {placed->uid_validity, placed->uid};
        return {};
    });
    const auto r = co_await std::move(written);
    if (!r) co_return refused<imap::appended>(r.error());
    co_return imap::outcome<imap::appended>(*place);
}

awaitable<imap::verdict> imap_connection::on(imap::append_abort) {
    append_.reset();
    co_return imap::nothing{};
}

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
        for (const auto& range : q.uids.ranges()) {
            std::uint32_t from = range.first;
            while (from <= range.last) {
                const auto wanted = std::min<std::uint64_t>(imap::rows_per_question_max, std::uint64_t{range.last} - from + 1);
                auto messages = txn.messages(box, from, wanted);
                if (!messages) return messages.error();
                for (const auto& m : *messages) {
                    if (m.uid > range.last) break;
                    if (q.changed_since && m.modseq <= *q.changed_since) continue;
                    auto row = row_of(m);
                    if (q.with_index || q.with_header) {
                        auto index = txn.index_of(m.mail_serial);
                        if (!index) return index.error();
                        row.index = std::move(*index);
                    }
                    if (q.with_header) {
                        auto header = header_of(m, *row.index);
                        if (!header) return header.error();
                        row.header = std::move(*header);
                    }
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
    if (!*message && (body_uid_ != q.uid || body_.box != box || !body_.reader)) co_return refused<bytes>(storage::errc::not_found);
    if (*message) {
        body_uid_ = q.uid;
        body_.box = box;
    }
    const auto end = std::min(body_.reader->size_bytes(), q.offset + std::min<std::uint64_t>(q.length, imap::body_piece_bytes_max));
    bytes data(end > q.offset ? end - q.offset : 0);
    const auto n = body_.reader->read(q.offset, data);
    if (!n) {
        services::log(services::area::imap).error("connection={} event=mail_unreadable reason={}", number_, services::field(n.error().message()));
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
        for (auto since = q.known_modseq; since;) {   // mostly nothing has changed since
            auto changes = txn.changes_since(box, *since, changes_per_read);
            if (!changes) return changes.error();
            for (const auto& m : changes->changed)
                if (q.uids.contains(m.uid)) stored->before.emplace_back(m.uid, m.modseq);
            if (!changes->more || changes->changed.empty()) break;
            since = changes->changed.back().modseq;
        }
        std::sort(stored->before.begin(), stored->before.end());
        auto rows = txn.change_flags(box, q.uids, how, q.flags, q.unchanged_since, stored->modified);
        if (!rows) return rows.error();
        for (const auto& m : *rows) stored->rows.push_back(row_of(m));
        return {};
    });
    const auto r = co_await std::move(written);
    if (!r) co_return refused<imap::stored_flags>(r.error());
    co_return imap::outcome<imap::stored_flags>(std::move(*stored));
}

awaitable<imap::verdict> imap_connection::on(imap::copy_messages q) {
    auto copied = std::make_shared<imap::copied>();
    auto written = commit([q, box = selected_->box, copied](storage::write_txn& txn) -> result<void> {
        auto to = txn.find_mailbox(q.to);
        if (!to) return to.error();
        if (!*to) return storage::errc::no_such_mailbox;
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

// APPEND, REPLACE and the mails that CATENATE takes from (RFC 9051 section 6.3.12, RFC 3502, 8508, 4469). Mails are
// encrypted as they come; one transaction places all of them, and takes the replaced one away.
#include "daemon/net/await.hpp"
#include "daemon/net/refusals.hpp"
#include "daemon/net/serve_imap.hpp"
#include "daemon/services/standard_mailboxes.hpp"
#include "storage/blob_in_file.hpp"
#include "storage/txn.hpp"

#include <algorithm>
#include <filesystem>

namespace pp::net {

namespace {

// A client that APPENDs what it has just submitted gets the copy that is in Sent already (01-product 1.4).
constexpr storage::unix_ms sent_window_ms = 10 * 60 * 1000;
// Mails of one command wait in memory for the last of them up to so much; the others wait in files.
constexpr std::uint64_t held_mail_bytes_max = 512 * 1024;
// Their indexes are held until all of them are placed; a single one may be larger.
constexpr std::size_t held_index_bytes_max = 2 * 1024 * 1024;

template <class T>
imap::verdict refused(std::string code, std::string sentence) {
    return imap::outcome<T>(imap::refusal{std::move(code), std::move(sentence)});
}

constexpr const char* create_it_first = "there is no such mailbox; create it first";

// RFC 9051 section 6.3.12: also of a mailbox that was deleted while the mail came.
imap::verdict append_refused(error_code why) {
    if (why == storage::errc::no_such_mailbox) return refused<imap::appended>("TRYCREATE", create_it_first);
    return net::refused<imap::appended>(why);
}

// The client's copy may have a Bcc field that the submitted mail has lost; everything below the header is the same.
// Another mail that only carries the same Message-ID is kept like any other.
bool same_mail(const mail::message_index& filed, const mail::message_outline& given) {
    return filed.parts.size() == given.parts.size() &&
           filed.parts.front().body_bytes == given.parts.front().body_bytes &&
           filed.envelopes.front().subject == given.envelopes.front().subject;
}

bool is_sent(const storage::mailbox& box) { return box.use == storage::special_use::sent; }

mail::date_time now_date() { return {services::now_s(), 0}; }

// The UID of the copy in Sent, with the client's flags added; nullopt: there is none.
result<std::optional<std::uint32_t>> copy_in_sent(storage::write_txn& txn, const storage::new_mail& what,
                                                  const storage::blob_writer& given) {
    auto copy = txn.find_by_message_id(what.box, what.message_id, services::now_ms() - sent_window_ms);
    if (!copy) return copy.error();
    if (!*copy) return std::optional<std::uint32_t>();
    auto filed = txn.index_of((*copy)->mail_serial);
    if (!filed) return filed.error();
    const auto outline = mail::message_outline::decode(given.index());
    if (!outline) return outline.error();
    if (!same_mail(**filed, *outline)) return std::optional<std::uint32_t>();
    mail::uid_set refused_uids, uids = mail::uid_set::of((*copy)->uid, (*copy)->uid);
    auto changed = txn.change_flags(what.box, uids, storage::write_txn::flag_change::add, what.flags, std::nullopt,
                                    refused_uids);
    if (!changed) return changed.error();
    return std::optional<std::uint32_t>((*copy)->uid);
}

}  // namespace

awaitable<imap::verdict> imap_connection::on(imap::append_begin q) {
    if (append_) {   // RFC 3502: the next mail of the same command
        const auto finished = co_await finish_last_append();
        if (!finished) co_return refused<imap::nothing>(finished.error());
        if (append_->index_bytes > held_index_bytes_max)
            co_return refused<imap::nothing>("LIMIT", "too many mails at once; append them in several commands");
    }
    if (q.size_bytes > context_.node.configuration().limits.mail_bytes_max)
        co_return refused<imap::nothing>(storage::errc::too_large);
    std::error_code ignored;
    const auto space = std::filesystem::space(context_.node.home().root, ignored);
    if (!ignored && space.available < q.size_bytes + context_.node.configuration().limits.reserve_bytes)
        co_return refused<imap::nothing>(storage::errc::full);
    std::uint64_t held_bytes = q.size_bytes, held_mails = 1;
    if (append_) {
        held_bytes += append_->bytes();
        held_mails += append_->mails.size();
    }
    for (const auto& submitted : appends_)   // not in the store's sums yet
        if (submitted) {
            held_bytes += submitted->bytes;
            held_mails += submitted->mails;
        }
    if (q.replaces && selected_) {   // RFC 8508 section 3.4: only what comes on top counts
        auto old = account_->store().read(
            [&](const storage::read_txn& txn) { return txn.get_message(selected_->box, *q.replaces); });
        if (!old) co_return refused<imap::nothing>(old.error());
        if (*old) {
            held_bytes -= std::min(held_bytes, (*old)->size_bytes);
            --held_mails;
        }
    }
    const auto room = held_bytes + held_mails == 0 ? result<void>() : check_quota(held_bytes, held_mails);
    if (!room) co_return refused<imap::nothing>(room.error());
    if (!append_) {
        auto box = account_->store().read([&](const storage::read_txn& txn) { return txn.find_mailbox(q.mailbox); });
        if (!box) co_return refused<imap::nothing>(box.error());
        if (!*box) co_return refused<imap::nothing>("TRYCREATE", create_it_first);
        append_.emplace();
        append_->box = std::move(**box);
    }
    appended_mail next;
    next.flags = std::move(q.flags);
    next.internal_date = q.internal_date.value_or(now_date());
    next.internal_date.unix_seconds = std::max(next.internal_date.unix_seconds, mail::oldest_internal_date);
    auto blob = account_->store().new_blob();
    if (append_->bytes() >= held_mail_bytes_max) blob = storage::in_file(std::move(blob));
    next.blob = std::make_shared<storage::blob_writer>(std::move(blob));
    append_->mails.push_back(std::move(next));
    co_return imap::outcome<imap::nothing>(imap::nothing{});
}

awaitable<imap::verdict> imap_connection::on(imap::append_chunk q) {
    if (append_ && !append_->failed)
        if (auto r = append_->mails.back().blob->write(q.data); !r) append_->failed = r.error();   // told at the end
    co_return imap::nothing{};
}

awaitable<result<void>> imap_connection::finish_last_append() {
    if (append_->failed) co_return append_->failed;
    auto blob = append_->mails.back().blob;
    const auto finished = co_await finish_blob(context_.workers, blob);
    if (finished) append_->index_bytes += blob->index().size();
    co_return finished;
}

std::uint64_t append_under_way::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& one : mails) sum += one.blob->plain_bytes();
    return sum;
}

// Runs inside the job, which may run twice.
result<void> imap_connection::add_appended(storage::write_txn& txn, const append_under_way& append, bool same_as_sent,
                                           imap::appended& done) {
    done = {};
    auto box = txn.get_mailbox(append.box.id);
    if (!box) return box.error();
    if (!*box) return storage::errc::no_such_mailbox;
    done.uid_validity = (*box)->uid_validity;
    for (const auto& one : append.mails) {
        storage::new_mail what;
        what.box = append.box.id;
        what.flags = one.flags;
        what.internal_date = one.internal_date;
        what.message_id = one.blob->envelope().message_id.value_or("");
        if (same_as_sent && !what.message_id.empty()) {
            auto there = copy_in_sent(txn, what, *one.blob);
            if (!there) return there.error();
            if (*there) {
                done.uids.push_back(**there);
                continue;
            }
        }
        auto placed = txn.add_mail(what, *one.blob);
        if (!placed) return placed.error();
        done.uids.push_back(placed->uid);
    }
    return {};
}

// Gives the mails to the store writer; durable when `written` says so.
awaitable<result<imap_connection::append_in_commit>> imap_connection::submit_append(
    std::optional<std::uint32_t> replaces) {
    const auto finished = co_await finish_last_append();
    auto append = std::make_shared<append_under_way>(std::move(*append_));
    append_.reset();
    if (!finished) co_return finished.error();
    const bool same_as_sent = is_sent(append->box) && !replaces &&
                              context_.node.configuration().sent == services::sent_rule::automatic;
    auto done = std::make_shared<imap::appended>();
    const auto from = replaces ? selected_->box : storage::no_mailbox;
    append_in_commit out{promise_slot<result<void>>(stream_.executor()), done, append->bytes(), append->mails.size()};
    services::store_writer::job work = [append, same_as_sent, done, from,
                                        replaces](storage::write_txn& txn) -> result<void> {
        if (auto r = add_appended(txn, *append, same_as_sent, *done); !r) return r;
        if (replaces) return services::remove_mail(txn, from, *replaces);   // RFC 8508 section 3.4
        return {};
    };
    context_.node.writer().submit(account_->label(), account_->store(), std::move(work), out.written.setter());
    co_return out;
}

awaitable<imap::verdict> imap_connection::on(imap::append_submit) {
    auto submitted = co_await submit_append(std::nullopt);
    appends_.push_back(std::move(submitted));
    co_return imap::nothing{};
}

awaitable<imap::verdict> imap_connection::on(imap::append_wait) {
    auto oldest = std::move(appends_.front());
    appends_.pop_front();
    if (!oldest) co_return refused<imap::appended>(oldest.error());
    const auto written = co_await oldest->written.wait();
    if (!written) co_return append_refused(written.error());
    co_return imap::outcome<imap::appended>(*oldest->done);
}

awaitable<imap::verdict> imap_connection::on(imap::append_end q) {
    auto submitted = co_await submit_append(q.replaces);
    if (!submitted) co_return refused<imap::appended>(submitted.error());
    const auto written = co_await submitted->written.wait();
    if (!written && q.replaces && written.error() == storage::errc::not_found)
        co_return refused<imap::appended>("EXPUNGEISSUED", "the message to be replaced is gone; nothing was changed");
    if (!written && q.replaces) co_return refused<imap::appended>(written.error());
    if (!written) co_return append_refused(written.error());
    co_return imap::outcome<imap::appended>(*submitted->done);
}

awaitable<imap::verdict> imap_connection::on(imap::append_abort) {
    append_.reset();
    co_return imap::nothing{};
}

// ---------------------------------------------------------------- CATENATE

awaitable<imap::verdict> imap_connection::on(imap::find_mail q) {
    auto found = account_->store().read([&](const storage::read_txn& txn) -> result<imap::found_mail> {
        auto box = txn.find_mailbox(q.mailbox);
        if (!box) return box.error();
        if (!*box || (q.uid_validity && *q.uid_validity != (*box)->uid_validity)) return storage::errc::no_such_mailbox;
        auto message = txn.get_message((*box)->id, q.uid);
        if (!message) return message.error();
        if (!*message) return storage::errc::not_found;
        auto index = txn.index_of((*message)->mail_serial);
        if (!index) return index.error();
        return imap::found_mail{(*message)->mail_serial, std::move(*index)};
    });
    if (!found) co_return refused<imap::found_mail>(found.error());
    co_return imap::outcome<imap::found_mail>(std::move(*found));
}

awaitable<imap::verdict> imap_connection::on(imap::read_found q) {
    if (!found_.reader || found_.mail_serial != q.mail) {
        auto reader = account_->store().open_blob(q.mail);
        if (!reader) co_return refused<bytes>(reader.error());
        found_ = {q.mail, storage::no_mailbox, std::move(*reader)};
    }
    const auto end =
        std::min(found_.reader->size_bytes(), q.offset + std::min<std::uint64_t>(q.length, imap::body_piece_bytes_max));
    bytes data(end > q.offset ? end - q.offset : 0);
    const auto n = found_.reader->read(q.offset, data);
    if (!n) co_return refused<bytes>(n.error());
    data.resize(*n);
    co_return imap::outcome<bytes>(std::move(data));
}

}  // namespace pp::net

// Sending one mail to one peer, and what comes back: replies, receipts, invite tokens.
#include "daemon/net/courier.hpp"

#include "daemon/engine/contacts.hpp"
#include "daemon/engine/delivery.hpp"
#include "daemon/engine/delivery_report.hpp"
#include "daemon/engine/last_word.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/dice.hpp"
#include "daemon/net/receiver.hpp"
#include "daemon/net/short_id.hpp"
#include "daemon/services/leftovers.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/outgoing.hpp"
#include "daemon/services/requests.hpp"
#include "daemon/services/standard_mailboxes.hpp"
#include "storage/txn.hpp"

namespace pp::net {

namespace {

std::string_view name_of(peer::notify_status status) {
    switch (status) {
    case peer::notify_status::stored: return "stored";
    case peer::notify_status::fetching: return "fetching";
    case peer::notify_status::refused: return "refused";
    case peer::notify_status::try_later: return "try_later";
    case peer::notify_status::unknown_prekey: return "unknown_prekey";
    case peer::notify_status::work_needed: return "work_needed";
    }
    return "unknown";
}

}  // namespace

// ---------------------------------------------------------------- sending

awaitable<void> courier::send_some(desk& d, std::shared_ptr<peer_link> link) {
    const auto peer = link->theirs;
    auto& r = d.routes[peer];   // stays while somebody sends
    while (!r.to_send.empty() && !stopping_ && link->takes_requests() && !rests(d)) {
        const auto id = r.to_send.begin()->second;
        r.to_send.erase(r.to_send.begin());
        auto row = d.account->store().read([&](const storage::read_txn& txn) { return txn.get_outbox(id); });
        const auto now = services::now_ms();
        if (!row) d.open.look(id, now + std::chrono::milliseconds(booking_retry).count());
        if (!row || !*row || !engine::is_open(**row) || engine::is_held(**row, now) || taking_back_.contains(id))
            continue;
        r.told.insert(id);   // once a link: its receipt comes by itself, or with the next one
        r.in_flight.insert(id);
        co_await send(*d.account, link, std::move(**row));
        r.in_flight.erase(id);
        d.open.look(id, services::now_ms() + look_pause_ms);   // at once, when its row has changed
    }
    --r.senders;
    if (!stopping_) poke(d);
}

awaitable<void> courier::send(services::account& mine, std::shared_ptr<peer_link> link, storage::outbox_row row) {
    const auto record = links_.record_of(mine, link->theirs);
    const auto* prekey = record ? engine::usable_prekey(*record, services::now_s()) : nullptr;
    if (!prekey) {
        auto waiting = engine::attempt_failed(std::move(row), "the recipient offers no current key to seal to",
                                              services::now_ms(), dice(), node_.configuration().delivery);
        answered(mine, link->theirs, waiting);
        co_await book(mine, std::move(waiting));
        co_return;
    }
    auto blob = mine.store().open_blob(row.mail_serial);
    if (!blob) {
        auto failed = engine::attempt_failed(std::move(row), "the mail cannot be read from the own drive: " +
                                                                 blob.error().message(), services::now_ms(), dice(),
                                             node_.configuration().delivery);
        answered(mine, link->theirs, failed);
        co_await book(mine, std::move(failed));
        co_return;
    }
    const auto ref = (*blob)->ref();
    peer::notification note;
    note.id = row.notification;
    note.sender = mine.key();
    note.device = mine.certificate();
    note.recipient = row.account;
    note.blob = ref.id;
    note.key = ref.key.clone();
    note.plain_bytes = ref.plain_bytes;
    note.cipher_bytes = ref.cipher_bytes;
    // the other side takes no old notifications, and none out of the future
    note.submitted_at = engine::began_at(row, services::now_ms()) / 1000;
    if (const auto address = mail::parse_address(row.recipient)) note.recipient_local = address->local;

    note.work = bench_.solution_of(row.notification);

    peer::notify_request request;
    request.sealed = peer::seal_notification(note, mine.identity(), prekey->id, prekey->key);
    if (crypto::blob_header_bytes + ref.cipher_bytes <= storage::inline_blob_cipher_bytes_max) {
        auto cipher = mine.store().open_cipher(ref.id);
        if (cipher) {
            auto chunks = (*cipher)->read_chunks(0, (*cipher)->chunks());
            if (chunks) {
                request.ride_along.assign((*cipher)->header().begin(), (*cipher)->header().end());
                request.ride_along.insert(request.ride_along.end(), chunks->begin(), chunks->end());
            }
        }
    }
    auto message = peer::encode(request);
    auto answer = co_await link->ask(peer::notify_protocol, std::move(message));
    if (stopping_ || !answer) co_return;   // the link is gone: the row is as it was, and is sent again
    const auto reply = peer::decode_notify_reply(*answer);
    if (!reply) co_return;
    if (reply->status == peer::notify_status::work_needed) {
        co_await begin_work(mine, std::move(row), std::move(note), reply->work_bits);
        co_return;
    }
    const auto id = short_id(row.notification);
    if (reply->status != peer::notify_status::unknown_prekey) answered(mine, link->theirs, row);
    auto outcome = engine::notify_answered(std::move(row), *reply, mine.key(), ref.id, services::now_ms(), dice(),
                                           node_.configuration().delivery);
    services::log(services::area::delivery)
        .info("event=answered notification={} status={}", id, name_of(reply->status));
    if (outcome.refresh_record) link->go_away();   // the next HELLO brings her prekeys
    // A receipt that is lost in a crash is given again: its two syncs can be shared with the next mail's.
    const auto how =
        outcome.row.state == storage::outbox_state::delivered ? services::urgency::lazy : services::urgency::now;
    co_await book(mine, std::move(outcome.row), how);
}

// The recipient does not know us. The row tells so while the work is done, and is due when it is.
awaitable<void> courier::begin_work(services::account& mine, storage::outbox_row row, peer::notification note,
                                    std::uint8_t bits) {
    auto waiting =
        engine::work_asked_for(std::move(row), bits, services::now_ms(), dice(), node_.configuration().delivery);
    const bool willing = bits <= engine::work_bits_willing;
    const auto id = waiting.id;
    co_await book(mine, std::move(waiting));
    if (!willing || stopping_) co_return;
    auto what = std::make_shared<const peer::notification>(std::move(note));
    auto done = [this, &mine, id] {
        if (!stopping_) asio::co_spawn(io_, work_done(mine, id), asio::detached);
    };
    bench_.begin(std::move(what), bits, std::move(done));
}

awaitable<void> courier::work_done(services::account& mine, storage::id16 id) {
    auto written = commit(node_, mine, [id](storage::write_txn& txn) -> result<void> {
        auto row = txn.get_outbox(id);
        if (!row) return row.error();
        if (!*row || !engine::is_open(**row)) return {};
        (*row)->next_attempt_at = std::min((*row)->next_attempt_at, services::now_ms());
        return txn.put_outbox(**row);
    });
    auto r = co_await std::move(written);
    (void)r;   // not written: it is due a little later
    if (!stopping_) poke(desk_of(mine));
}

// The report to the sender that is due when the row becomes this; null when there is none, or no room for it: the
// change itself matters more.
courier::report_blob courier::report_of_change(services::account& mine, const storage::outbox_row& after) {
    const auto before = mine.store().read([&](const storage::read_txn& txn) { return txn.get_outbox(after.id); });
    if (!before || !*before) return nullptr;
    const auto kind = engine::report_due(**before, after);
    return kind ? report_of(mine, *kind, {after}) : nullptr;
}

courier::report_blob courier::report_of(services::account& mine, engine::report_kind kind,
                                        std::vector<storage::outbox_row> rows) {
    engine::delivery_report report;
    report.kind = kind;
    report.rows = std::move(rows);
    report.domain = mine.domain();
    report.address = mine.address();
    report.name = mine.name();
    report.now = services::now_ms();
    report.times = node_.configuration().delivery;
    crypto::random_bytes(report.dice);
    const auto& first = report.rows.front();
    if (const auto original = mine.store().open_blob(first.mail_serial)) {
        report.whole_mail = engine::returns_whole_mail(kind, first, (*original)->size_bytes());
        const auto most = report.whole_mail ? engine::returned_mail_bytes_max : engine::returned_header_bytes_max;
        report.returned.resize(static_cast<std::size_t>(std::min<std::uint64_t>((*original)->size_bytes(), most)));
        const auto n = (*original)->read(0, report.returned);
        report.returned.resize(n ? *n : 0);
        if (!report.whole_mail) report.returned.resize(engine::header_of(as_text(report.returned)).size());
    }
    auto blob = std::make_shared<storage::blob_writer>(mine.store().new_blob());
    const auto text = engine::report_mail(report);
    if (!blob->write(text) || !blob->finish()) return nullptr;
    return blob;
}

// One report tells of all recipients of a mail whose delay is to be told.
awaitable<void> courier::tell_delay(desk& d, storage::id16 submission) {
    auto& mine = *d.account;
    const auto noticed = [this](const storage::read_txn& txn, const std::vector<storage::id16>& ids)
        -> result<std::vector<storage::outbox_row>> {
        std::vector<storage::outbox_row> out;
        for (const auto& id : ids) {
            auto row = txn.get_outbox(id);
            if (!row) return row.error();
            if (!*row) continue;
            if (auto told = engine::delay_noticed(std::move(**row), services::now_ms(),
                                                  node_.configuration().delivery))
                out.push_back(std::move(*told));
        }
        return out;
    };
    const auto ids = d.open.of_submission(submission);
    auto late = mine.store().read([&](const storage::read_txn& txn) { return noticed(txn, ids); });
    if (!late || late->empty()) co_return;
    const auto report = report_of(mine, engine::report_kind::delayed, std::move(*late));
    if (!report) co_return;   // no room: with the next look
    auto written = commit(node_, mine, [ids, noticed, report](storage::write_txn& txn) -> result<void> {
        auto told = noticed(txn, ids);
        if (!told || told->empty()) return told ? result<void>() : told.error();
        for (const auto& row : *told)
            if (auto r = txn.put_outbox(row); !r) return r;
        return services::file_in_inbox(txn, *report, services::now_s());
    });
    const auto r = co_await std::move(written);
    if (!r && !stopping_) rest(mine);
}

awaitable<void> courier::book(services::account& mine, storage::outbox_row row, services::urgency how) {
    auto report = report_of_change(mine, row);
    auto written = commit(node_, mine, [row, report, domain = mine.domain()](storage::write_txn& txn) -> result<void> {
        auto known = txn.get_outbox(row.id);
        if (!known) return known.error();
        // A receipt that came meanwhile stands; a row that was cancelled stays away.
        if (!*known || (*known)->state == storage::outbox_state::delivered) return {};
        // meanwhile, in Outgoing, or given up
        const bool cancelled = (*known)->state == storage::outbox_state::failed;
        if (cancelled && row.state != storage::outbox_state::delivered) return {};
        if (report && engine::report_due(**known, row))
            if (auto filed = services::file_in_inbox(txn, *report, services::now_s()); !filed) return filed;
        auto next = row;
        next.delay_told = next.delay_told || (*known)->delay_told;   // row may be from before it was told
        next.submitted_at = (*known)->submitted_at;                  // or from before it was dated anew
        next.hold_until = (*known)->hold_until;
        next.outgoing_uid = (*known)->outgoing_uid;
        next.left_at = (*known)->left_at;
        if (!engine::is_in_doubt(row)) next.deposit = (*known)->deposit;   // relay_outbox's
        // it has come further meanwhile
        if (next.state == storage::outbox_state::queued && engine::is_open(**known)) {
            next.state = (*known)->state;
            next.state_since = (*known)->state_since;
        }
        if (auto r = txn.put_outbox(next); !r || engine::is_open(next)) return r;
        if (auto r = services::note_leftover(txn, next); !r) return r;
        return services::leave_outgoing(txn, next, domain);
    }, how);
    const auto r = co_await std::move(written);
    if (r && !engine::is_open(row)) asked_back_.erase(row.id);
    if (r) co_return;
    // Repeated after a pause, with the next link, or after a restart: the other side knows the notification.
    services::log(services::area::delivery)
        .error("event=row_not_written reason={}", services::field(r.error().message()));
    if (!stopping_) rest(mine);
}

// A held mail to the account itself, or one whose delivery is to be reported: the copy in INBOX and the end of the row,
// in one write.
awaitable<void> courier::release_to_self(services::account& mine, storage::outbox_row row) {
    const auto id = short_id(row.notification);
    const auto now = services::now_ms();
    row.state = storage::outbox_state::delivered;
    row.state_since = now;
    auto report = report_of_change(mine, row);
    auto place = [row, report, now, domain = mine.domain()](storage::write_txn& txn) -> result<void> {
        auto known = txn.get_outbox(row.id);
        if (!known) return known.error();
        if (!*known || !engine::is_open(**known)) return {};
        auto inbox = services::standard_mailbox(txn, storage::special_use::none, services::inbox_name);
        if (!inbox) return inbox.error();
        storage::new_mail what;
        what.box = *inbox;
        what.internal_date = {now / 1000, 0};
        if (report)
            if (auto placed = txn.add_mail(what, *report); !placed) return placed.error();
        what.message_id = row.message_id;
        if (auto placed = txn.add_copy(what, row.mail_serial); !placed) return placed.error();
        auto over = row;
        over.outgoing_uid = (*known)->outgoing_uid;
        if (auto r = txn.put_outbox(over); !r) return r;
        return services::leave_outgoing(txn, over, domain);
    };
    auto written = commit(node_, mine, std::move(place));
    const auto r = co_await std::move(written);
    if (r) {
        services::log(services::area::delivery).info("event=delivered notification={}", id);
        co_return;
    }
    services::log(services::area::delivery)
        .error("event=local_delivery_failed reason={}", services::field(r.error().message()));
    if (!stopping_) rest(mine);
}

awaitable<bool> courier::deliver_here(services::account& mine, services::account& theirs, storage::outbox_row row) {
    const auto notification = row.notification;
    const auto judged = receiver_->judge_here(mine, theirs, row);
    if (judged && judged->action == engine::inbox_action::refuse) {
        row.state = storage::outbox_state::failed;
        row.state_since = services::now_ms();
        row.last_error = "the recipient refused the mail: " + judged->reason;
        co_await book(mine, std::move(row));
        co_return true;
    }
    if (judged && judged->action == engine::inbox_action::try_later) {
        const auto sentence = "the recipient asks to try later: " + judged->reason;
        const auto now = services::now_ms();
        if (row.last_error == sentence && row.next_attempt_at > now) co_return false;
        co_await book(mine, engine::attempt_failed(std::move(row), sentence, now, 0, node_.configuration().delivery));
        co_return false;
    }
    result<void> r = judged ? result<void>() : result<void>(judged.error());
    if (judged) {
        auto done = co_await receiver_->deliver_here(mine, theirs, row);
        r = done;
    }
    if (!r) {
        services::log(services::area::delivery)
            .error("event=local_delivery_failed reason={}", services::field(r.error().message()));
        co_return false;
    }
    services::log(services::area::delivery).info("event=delivered notification={}", short_id(notification));
    row.state = storage::outbox_state::delivered;
    row.state_since = services::now_ms();
    row.last_error.clear();
    co_await book(mine, std::move(row));
    co_return true;
}

// ---------------------------------------------------------------- receipts and invite tokens

awaitable<bytes> courier::receipt_came(services::account& mine, std::shared_ptr<peer_link> link, bytes message) {
    auto decoded = peer::decode_receipt_message(message);
    if (!decoded) co_return bytes{};
    const auto receipt = peer::decode_receipt(decoded->signed_receipt);
    if (!receipt || receipt->recipient != link->theirs) co_return bytes{};
    const bool booked = co_await receipt_told(mine, std::move(decoded->signed_receipt));
    (void)booked;   // with the next notification it is asked for again
    co_return bytes{};
}

// True when it is booked, or of no use.
awaitable<bool> courier::receipt_told(services::account& mine, bytes signed_receipt) {
    const auto receipt = peer::decode_receipt(signed_receipt);
    if (!receipt) co_return true;
    auto row =
        mine.store().read([&](const storage::read_txn& txn) { return txn.outbox_of_notification(receipt->id); });
    if (!row) co_return false;
    if (!*row || (*row)->state == storage::outbox_state::delivered) co_return true;
    const auto id = (*row)->id;
    const auto blob = mine.store().open_blob((*row)->mail_serial);
    if (!blob || !engine::check_receipt(**row, mine.key(), (*blob)->ref().id, signed_receipt)) co_return true;
    auto delivered = engine::receipt_came(std::move(**row), signed_receipt, services::now_ms());
    co_await book(mine, std::move(delivered), services::urgency::lazy);
    services::log(services::area::delivery).info("event=delivered notification={}", short_id(receipt->id));
    wake(mine.label());   // other recipients of the mail may be what Outgoing tells of now
    const auto after = mine.store().read([&](const storage::read_txn& txn) { return txn.get_outbox(id); });
    co_return after && (!*after || (*after)->state == storage::outbox_state::delivered);
}

awaitable<void> courier::present_token(services::account& mine, std::shared_ptr<peer_link> link) {
    auto contact = mine.store().read([&](const storage::read_txn& txn) { return txn.get_contact(link->theirs); });
    if (!contact || !*contact || (*contact)->invite_token.size() != 16) co_return;
    peer::contact_request request;
    std::copy_n((*contact)->invite_token.begin(), request.token.size(), request.token.begin());
    auto message = peer::encode(request);
    auto answer = co_await link->ask(peer::contact_protocol, std::move(message));
    if (!answer) co_return;   // again with the next link
    auto reply = peer::decode_contact_reply(*answer);
    if (!reply) reply = peer::contact_reply();   // what cannot be understood has accepted nothing
    services::log(services::area::peer).info("link={} event=invite_{}", link->number(),
                                             reply->status == peer::contact_status::accepted ? "accepted" : "refused");
    auto written = commit(node_, mine, [theirs = link->theirs](storage::write_txn& txn) -> result<void> {
        auto known = txn.get_contact(theirs);
        if (!known) return known.error();
        if (!*known) return {};
        (*known)->invite_token.clear();
        return txn.put_contact(**known);
    });
    const auto r = co_await std::move(written);
    if (stopping_) co_return;
    if (r) {
        poke(desk_of(mine));   // mails have waited for that
        co_return;
    }
    // Mails wait until it is written: presented again then; the other side knows us by now.
    desk_of(mine).routes[link->theirs].token_shown = false;
    rest(mine);
}

awaitable<bytes> courier::token_came(services::account& mine, std::shared_ptr<peer_link> link, bytes message) {
    peer::contact_reply reply;
    const auto request = peer::decode_contact_request(message);
    const auto record = links_.record_of(mine, link->theirs);
    if (request && record) {
        auto accepted = std::make_shared<bool>(false);
        auto take = [&mine, token = request->token, record = *record,
                     accepted](storage::write_txn& txn) -> result<void> {
            *accepted = false;
            auto known = txn.get_contact(record.account);
            if (!known) return known.error();
            auto invite = txn.get_invite(token);
            if (!invite) return invite.error();
            if (*known && (*known)->blocked) return {};   // blocked stays blocked, and the invite unused
            // The answer to a token used before was lost: she is known by it.
            if (*known && (*known)->how == storage::known_by::invite_given && (*known)->accepted) {
                *accepted = true;
                return {};
            }
            auto left = engine::use_invite(*invite, services::now_ms());
            if (!left) return {};
            *accepted = true;
            auto contact =
                *known ? **known
                       : engine::contact_from_record(record, storage::known_by::invite_given, services::now_s());
            contact.accepted = true;
            contact.accepted_before = false;
            contact.removed_at = 0;
            if (contact.how == storage::known_by::request) contact.how = storage::known_by::invite_given;
            const auto before = *known ? *known : std::optional<storage::contact>();
            if (auto r = services::settle_contact(txn, mine, before, std::move(contact)); !r) return r;
            return left->uses_left == 0 ? txn.erase_invite(token) : txn.put_invite(*left);
        };
        auto written = commit(node_, mine, std::move(take));
        const auto r = co_await std::move(written);
        if (r && *accepted) {
            poke(desk_of(mine));   // the user may be owed a mail about her name
            reply.status = peer::contact_status::accepted;
            services::log(services::area::peer).info("link={} event=contact_added", link->number());
            asio::co_spawn(io_, hand_tokens(mine, link), asio::detached);
        }
    }
    co_return peer::encode(reply);
}

}  // namespace pp::net

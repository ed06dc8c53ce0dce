// What is decided about a notification that comes over a link, and the one commit of a mail that has come, by any way.
#include "daemon/net/receiver.hpp"

#include "daemon/engine/authentication_results.hpp"
#include "daemon/engine/contacts.hpp"
#include "daemon/engine/inbox.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/engine/requests.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/reencrypt.hpp"
#include "daemon/net/short_id.hpp"
#include "daemon/services/inbound.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/standard_mailboxes.hpp"
#include "proto/peer/first_contact.hpp"
#include "storage/txn.hpp"

#include <utility>

namespace pp::net {

namespace {

bytes refusal(peer::notify_status status, std::string reason) {
    peer::notify_reply reply;
    reply.status = status;
    reply.reason = std::move(reason);
    return peer::encode(reply);
}

// What this node puts in front of the mail (01-product 1.5).
std::string block_for(services::account& mine, const peer::notification& note,
                      const std::optional<storage::contact>& contact) {
    engine::arrival a;
    a.node = mine.domain();
    a.sender_domain = crypto::account_label(note.sender) + std::string(services::address_suffix);
    a.known = contact ? contact->how : storage::known_by::request;
    a.recipient = {note.recipient_local, mine.domain()};
    return engine::authentication_results(a);
}

std::string_view mailbox_for(const std::optional<storage::contact>& sender) {
    return sender && sender->accepted ? engine::inbox_name : engine::requests_name;
}

bytes stored(services::account& mine, const crypto::signing_key& device, const peer::notification& note) {
    peer::notify_reply reply;
    reply.status = peer::notify_status::stored;
    reply.signed_receipt = peer::encode(peer::make_receipt(note, mine.certificate(), device, services::now_s()));
    return peer::encode(reply);
}

// What engine::decide_by_policy() asks of the recipient's store.
result<void> read_policy(const storage::read_txn& txn, const crypto::account_key& sender, engine::inbox_facts& facts) {
    auto contact = txn.get_contact(sender);
    if (!contact) return contact.error();
    facts.sender = std::move(*contact);
    auto requests = txn.find_mailbox(engine::requests_name);
    if (!requests) return requests.error();
    facts.room_for_requests = !*requests || engine::has_room_for_requests(**requests);
    return {};
}

}  // namespace

receiver::receiver(asio::io_context& io, services::node& node, asio::thread_pool& workers, const links& peers)
    : io_(io), node_(node), workers_(workers), links_(peers) {}

// ---------------------------------------------------------------- notifications

awaitable<bytes> receiver::notified(services::account& mine, std::shared_ptr<peer_link> link, bytes message) {
    auto request = peer::decode_notify_request(message);
    if (!request) co_return refusal(peer::notify_status::refused, "the notification is malformed");
    const auto secret = mine.prekey(peer::prekey_id_of(request->sealed));
    if (!secret) co_return refusal(peer::notify_status::unknown_prekey, "sealed to a key that is no longer in use");
    auto opened = peer::open_notification(request->sealed, *secret, mine.key());
    if (!opened || opened->sender != link->theirs) {
        services::log(services::area::peer)
            .warn("link={} event=notification_refused reason={}", link->number(),
                  services::field(opened ? "not from this peer" : opened.error().message()));
        co_return refusal(peer::notify_status::refused, "the notification does not open or is not yours");
    }
    auto note = std::make_shared<const peer::notification>(std::move(*opened));

    auto looked = facts_about(mine, *note);
    if (!looked) co_return refusal(peer::notify_status::try_later, "the recipient's store cannot be read");
    auto& facts = *looked;
    facts.link_account = link->theirs;
    const auto decision = engine::decide(*note, request->ride_along, facts, services::now_s());
    const bool is_request = decision.mailbox == engine::requests_name;
    if (is_request &&
        (decision.action == engine::inbox_action::store || decision.action == engine::inbox_action::fetch)) {
        auto refused = co_await admit_stranger(mine, link, note);
        if (refused) co_return std::move(*refused);
    }
    switch (decision.action) {
    case engine::inbox_action::receipt_again: co_return stored(mine, node_.device(), *note);
    case engine::inbox_action::refuse: co_return refusal(peer::notify_status::refused, decision.reason);
    case engine::inbox_action::try_later: co_return refusal(peer::notify_status::try_later, decision.reason);
    case engine::inbox_action::store: {
        auto taken = co_await take(mine, note, std::move(request->ride_along), facts.sender);
        gate_of(mine).release(note->id);
        co_return taken;
    }
    case engine::inbox_action::fetch: break;
    }
    // Its ciphertext and the own copy lie side by side for a moment.
    if (!room_for(2 * note->cipher_bytes)) {
        gate_of(mine).release(note->id);
        co_return refusal(peer::notify_status::try_later, "the recipient has no room at the moment");
    }
    // The row first: from here on we fetch by ourselves, also after a restart.
    storage::inbound_row row;
    row.notification = note->id;
    row.sender = note->sender;
    row.opened = peer::encode_opened(*note);
    row.received_at = services::now_ms();
    auto came_meanwhile = std::make_shared<bool>(false);
    auto refused = std::make_shared<std::string>();
    auto written = commit(node_, mine, [row, came_meanwhile, refused](storage::write_txn& txn) -> result<void> {
        auto seen = txn.notification_seen(row.sender, row.notification);
        if (!seen) return seen.error();
        *came_meanwhile = *seen;   // a fetch that was running has ended: nothing to be fetched again
        if (*seen) return {};
        auto known = txn.get_inbound(row.notification);
        if (!known) return known.error();
        *refused = *known && (*known)->stage == storage::inbound_stage::refused ? (*known)->reason : std::string();
        // asked what becomes of it: its time does not begin anew
        return *known ? result<void>() : txn.put_inbound(row);
    });
    const auto kept = co_await std::move(written);
    if (!kept || *came_meanwhile || !refused->empty()) gate_of(mine).release(note->id);
    if (kept && !refused->empty()) co_return refusal(peer::notify_status::refused, *refused);
    if (!kept) co_return refusal(peer::notify_status::try_later, "the recipient cannot store mail at the moment");
    if (*came_meanwhile) co_return stored(mine, node_.device(), *note);
    auto& q = queue_of(mine, note->sender);
    if (const auto known = q.link.lock(); !known || !known->ready()) q.link = link;
    enqueue(mine, std::move(row));
    co_return refusal(peer::notify_status::fetching, "");
}

result<engine::inbox_facts> receiver::facts_about(services::account& mine, const peer::notification& note) const {
    engine::inbox_facts facts;
    facts.me = mine.key();
    facts.mail_bytes_max = node_.configuration().limits.mail_bytes_max;
    if (rows_from_) facts.announced = rows_from_(mine, note.sender);
    auto looked = mine.store().read([&](const storage::read_txn& txn) -> result<void> {
        auto seen = txn.notification_seen(note.sender, note.id);
        if (!seen) return seen.error();
        facts.seen = *seen;
        if (facts.announced >= engine::announced_by_one_max) {   // one of these may be asked about again
            auto row = txn.get_inbound(note.id);
            if (!row) return row.error();
            if (*row) facts.announced = 0;
        }
        return read_policy(txn, note.sender, facts);
    });
    if (!looked) return looked.error();
    return facts;
}

engine::stranger_gate& receiver::gate_of(services::account& mine) {
    return gates_.try_emplace(mine.label(), node_.configuration().requests.work_bits).first->second;
}

awaitable<std::optional<bytes>> receiver::admit_stranger(services::account& mine, std::shared_ptr<peer_link> link,
                                                         std::shared_ptr<const peer::notification> note) {
    auto& gate = gate_of(mine);
    if (gate.is_reserved(note->id)) co_return std::nullopt;   // asked again what becomes of it
    const auto bits = gate.work_bits(services::now_ms());
    peer::notify_reply asked;
    asked.status = peer::notify_status::work_needed;
    asked.work_bits = bits;
    if (bits > 0) {
        if (!note->work) co_return peer::encode(asked);
        if (work_checks_ >= work_checks_max)
            co_return refusal(peer::notify_status::try_later, "the recipient's node is busy");
        ++work_checks_;
        auto check = [note, taken = gate.work_bits_taken(services::now_ms())] {
            return peer::is_worked_for(*note, taken);
        };
        const bool right = co_await offload(workers_, std::move(check));
        --work_checks_;
        if (!right) {
            if (++link->wrong_work >= wrong_work_max) link->go_away();
            co_return peer::encode(asked);
        }
    }
    // No await between this look and the reservation: parallel ones see each other.
    auto requests =
        mine.store().read([](const storage::read_txn& txn) { return txn.find_mailbox(engine::requests_name); });
    if (!requests) co_return refusal(peer::notify_status::try_later, "the recipient's store cannot be read");
    if (!gate.reserve(note->id, note->sender, note->plain_bytes, *requests ? **requests : storage::mailbox()))
        co_return refusal(peer::notify_status::try_later,
                          "the recipient's mailbox for mail of strangers is full; ask for an invite, or wait");
    const auto prefix = engine::source_prefix(link->remote_endpoint());
    if (const auto sentence = gate.admit(note->sender, prefix, services::now_ms())) {
        gate.release(note->id);
        services::log(services::area::peer).info("link={} event=request_put_off", link->number());
        co_return refusal(peer::notify_status::try_later, std::string(*sentence));
    }
    co_return std::nullopt;
}

void receiver::announce_work() {
    for (auto* a : node_.accounts()) a->set_work_bits(gate_of(*a).work_bits(services::now_ms()));
}

awaitable<void> receiver::forget_unfetched_requests() {
    for (auto* a : node_.accounts()) {
        auto written = commit(node_, *a, [](storage::write_txn& txn) -> result<void> {
            auto rows = txn.inbound();
            if (!rows) return rows.error();
            for (const auto& row : *rows) {
                if (services::now_ms() - row.received_at < engine::request_wait_max_ms) continue;
                auto sender = txn.get_contact(row.sender);
                if (!sender) return sender.error();
                if (*sender && (*sender)->accepted) continue;
                if (auto r = txn.erase_inbound(row.notification); !r) return r;
            }
            return {};
        });
        auto r = co_await std::move(written);
        if (r) tidy(*a);
    }
}

// The blob came along with the notification and is the notified one.
awaitable<bytes> receiver::take(services::account& mine, std::shared_ptr<const peer::notification> note,
                                bytes ride_along, std::optional<storage::contact> sender) {
    auto blob = std::make_shared<storage::blob_writer>(mine.store().new_blob());
    auto written = reencrypt_small(*note, ride_along, block_for(mine, *note, sender), *blob);
    if (written) written = blob->finish();
    if (!written && written.error() == peer::errc::forged_author) {
        services::log(services::area::delivery).warn("event=author_forged notification={}", short_id(note->id));
        co_return refusal(peer::notify_status::refused, std::string(engine::forged_author_sentence));
    }
    if (!written) {
        const bool ours = written.error().category() == storage::make_error_code(storage::errc::full).category();
        co_return ours ? refusal(peer::notify_status::try_later, "the recipient has no room at the moment")
                       : refusal(peer::notify_status::refused, "the mail's ciphertext is damaged");
    }
    auto committed = store_mail(mine, blob, note);
    if (const auto r = co_await std::move(committed); !r)
        co_return refusal(peer::notify_status::try_later, "the recipient cannot store mail at the moment");
    services::log(services::area::delivery)
        .info("event=received notification={} bytes={}", short_id(note->id), note->plain_bytes);
    co_return stored(mine, node_.device(), *note);
}

// The one commit of a received mail: visible in a mailbox, seen for ever, no longer to be fetched.
awaitable<result<void>> receiver::store_mail(services::account& mine, std::shared_ptr<storage::blob_writer> blob,
                                             std::shared_ptr<const peer::notification> note) {
    auto record = links_.record_of(mine, note->sender);
    auto written = commit(node_, mine, [blob, note,
                                        record = std::move(record)](storage::write_txn& txn) -> result<void> {
        auto seen = txn.notification_seen(note->sender, note->id);
        if (!seen) return seen.error();
        if (*seen) return services::mail_is_here(txn, *note);   // came a second way meanwhile
        auto sender = txn.get_contact(note->sender);   // as she stands now: accepted while it came, it is no request
        if (!sender) return sender.error();
        auto box = services::standard_mailbox(txn, storage::special_use::none, mailbox_for(*sender));
        if (!box) return box.error();
        storage::new_mail what;
        what.box = *box;
        what.internal_date = {services::now_s(), 0};
        what.message_id = blob->envelope().message_id.value_or("");
        auto placed = txn.add_mail(what, *blob);
        if (!placed) return placed.error();
        // blocked while it came: the row went then
        if (*sender && (*sender)->blocked) return storage::errc::not_found;
        if (*sender && (*sender)->removed_at != 0)
            if (auto r = txn.put_contact(engine::as_request_again(**sender)); !r) return r;
        // A stranger becomes a contact that is not accepted yet: her record is needed to answer her.
        if (!*sender && record) {
            auto all = txn.contacts();
            if (!all) return all.error();
            if (const auto oldest = engine::stranger_to_forget(*all))
                if (auto r = txn.erase_contact(*oldest); !r) return r;
            const auto contact = engine::contact_from_record(*record, storage::known_by::request, services::now_s());
            if (auto r = txn.put_contact(contact); !r) return r;
        }
        if (auto r = txn.mark_notification_seen(note->sender, note->id); !r) return r;
        return services::mail_is_here(txn, *note);
    });
    co_return co_await std::move(written);
}

awaitable<result<void>> receiver::store_fetched(services::account& mine, std::shared_ptr<const peer::notification> note,
                                                std::shared_ptr<incoming_blob> come) {
    auto contact = mine.store().read([&](const storage::read_txn& txn) { return txn.get_contact(note->sender); });
    if (!contact) co_return contact.error();
    auto block = block_for(mine, *note, *contact);
    auto blob = std::make_shared<storage::blob_writer>(mine.store().new_blob());
    auto work = [note, come, blob, block = std::move(block)]() -> result<void> {
        const auto chunk = [&](std::uint64_t i) { return come->read_chunk(i); };
        // What came from relays came without proof: all of it has to lead to the blob id.
        if (note->answer)
            if (auto r = is_the_blob(*note, come->header, chunk); !r) return r;
        if (auto r = reencrypt(*note, come->header, chunk, block, *blob); !r) return r;
        return blob->finish();
    };
    result<void> written;
    if (come->is_in_memory() && note->cipher_bytes <= reencrypt_at_once_bytes_max) {
        written = work();
    } else {
        auto elsewhere = offload(workers_, std::move(work));
        written = co_await std::move(elsewhere);
    }
    if (!written) {
        // What had been verified does not open: the disk has lost it since. From the beginning, at the next link.
        if (written.error() == crypto::errc::not_authentic || written.error() == crypto::errc::bad_proof)
            (void)come->restart();
        co_return written;
    }
    auto committed = store_mail(mine, blob, note);
    auto stored = co_await std::move(committed);
    if (stored) come->remove();
    co_return stored;
}

result<engine::inbox_decision> receiver::judge_here(services::account& from, services::account& to,
                                                    const storage::outbox_row& row) {
    auto reader = from.store().open_blob(row.mail_serial);
    if (!reader) return reader.error();
    engine::inbox_facts facts;
    facts.mail_bytes_max = node_.configuration().limits.mail_bytes_max;
    auto looked = to.store().read([&](const storage::read_txn& txn) { return read_policy(txn, from.key(), facts); });
    if (!looked) return looked.error();
    return engine::decide_by_policy(facts, (*reader)->size_bytes());
}

awaitable<result<void>> receiver::deliver_here(services::account& from, services::account& to,
                                               storage::outbox_row row) {
    auto reader = from.store().open_blob(row.mail_serial);
    if (!reader) co_return reader.error();
    auto contact = to.store().read([&](const storage::read_txn& txn) { return txn.get_contact(from.key()); });
    if (!contact) co_return contact.error();
    auto note = std::make_shared<peer::notification>();
    note->id = row.notification;
    note->sender = from.key();
    note->recipient = to.key();
    if (const auto address = mail::parse_address(row.recipient)) note->recipient_local = address->local;
    auto block = block_for(to, *note, *contact);
    auto blob = std::make_shared<storage::blob_writer>(to.store().new_blob());
    auto work = [reader = *reader, blob, block = std::move(block)]() -> result<void> {
        if (auto r = blob->write(as_bytes(block)); !r) return r;
        bytes piece(crypto::chunk_plain_bytes);
        for (std::uint64_t at = 0; at < reader->size_bytes();) {
            auto n = reader->read(at, piece);
            if (!n) return n.error();
            if (auto r = blob->write(bytes_view(piece).first(*n)); !r) return r;
            at += *n;
        }
        return blob->finish();
    };
    if (auto written = co_await offload(workers_, std::move(work)); !written) co_return written;
    auto committed = store_mail(to, blob, note);
    co_return co_await std::move(committed);
}

}  // namespace pp::net

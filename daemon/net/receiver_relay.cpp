// What the receiver does with mails that wait at relays: notifications out of slots, ciphertext out of seeds.
#include "daemon/net/receiver.hpp"

#include "daemon/engine/contacts.hpp"
#include "daemon/engine/requests.hpp"
#include "daemon/net/relay_owner.hpp"
#include "daemon/net/short_id.hpp"
#include "daemon/services/correspondents.hpp"
#include "daemon/services/inbound.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/own_relays.hpp"
#include "daemon/services/requests.hpp"
#include "proto/peer/first_contact.hpp"

#include <algorithm>

namespace pp::net {

namespace {

// Of mails of strangers that are still to be fetched: as many as Requests would take.
constexpr std::size_t strangers_pending_max = engine::requests_mails_max;

// What an introduction tells, to answer by.
peer::letter told_by(const peer::notification& note) {
    peer::letter out;
    out.ways.push_back(note.answer->way);
    const auto slot = relay::decode_address(note.answer->way.slot);
    if (slot && note.answer->token != std::array<std::byte, 34>{}) {
        const auto token = engine::token_from_wire(note.answer->token);
        peer::token_grant grant;
        grant.relay = slot->relay;
        grant.slot = slot->slot.data;
        grant.week = token.week;
        auto& raw = grant.tokens.emplace_back();
        std::copy_n(token.serial.data.begin(), 16, raw.begin());
        std::copy_n(token.mac.begin(), 16, raw.begin() + 16);
        out.grants.push_back(std::move(grant));
    }
    return out;
}

}  // namespace

awaitable<bool> receiver::came_by_relay(services::account& mine, std::shared_ptr<const peer::notification> note,
                                        relay::token_serial paid_by) {
    co_await use_own_invite(mine, note);
    auto facts = facts_about(mine, *note);
    if (!facts) co_return false;
    const auto decision = engine::decide(*note, {}, *facts, services::now_s());
    storage::inbound_row row;
    row.notification = note->id;
    row.sender = note->sender;
    row.opened = peer::encode_opened(*note);
    row.received_at = services::now_ms();
    switch (decision.action) {
    case engine::inbox_action::try_later: co_return false;
    case engine::inbox_action::refuse:
        if (!note->answer) co_return true;
        row.stage = storage::inbound_stage::refused;
        row.reason = decision.reason;
        break;
    case engine::inbox_action::receipt_again:
        if (!note->answer) co_return true;
        row.stage = storage::inbound_stage::stored;
        break;
    case engine::inbox_action::store:
    case engine::inbox_action::fetch:
        if (!note->answer) co_return true;   // nothing says where it lies, and the sender is not there
        if (!room_for(2 * note->cipher_bytes)) co_return false;
        if (decision.mailbox == engine::requests_name) {
            const auto may = co_await admit_from_relay(mine, note, paid_by);
            if (may == admission::later) co_return false;
            if (may == admission::never) {
                services::log(services::area::delivery)
                    .info("event=request_without_work notification={}", short_id(note->id));
                // An answer costs work where no token came for it: nothing here works for who has not.
                if (note->answer->token == std::array<std::byte, 34>{}) co_return true;
                row.stage = storage::inbound_stage::refused;
                row.reason =
                    "the recipient does not know you and asks strangers for more work than was done for this mail; "
                    "send it again";
            }
        }
        break;
    }
    const bool known = facts->sender && facts->sender->accepted;
    auto written = commit(node_, mine, [row, note, known, paid_by](storage::write_txn& txn) -> result<void> {
        auto next = row;
        auto before_it = txn.get_inbound(row.notification);
        if (!before_it) return before_it.error();
        if (const auto& old = *before_it) {
            if (next.stage == storage::inbound_stage::wanted) {
                next.stage = old->stage;
                next.reason = old->reason;
            }
            next.received_at = old->received_at;
            next.attempts = old->attempts;
        } else if (!known) {
            auto pending = txn.count_inbound(strangers_pending_max);
            if (!pending) return pending.error();
            if (*pending >= strangers_pending_max) return storage::errc::limit;
        }
        auto seen = txn.notification_seen(row.sender, row.notification);
        if (!seen) return seen.error();
        if (*seen) next.stage = storage::inbound_stage::stored;
        auto c = services::correspondent_of(txn, note->sender);
        const auto before = c;
        const auto told = told_by(*note);
        for (const auto& grant : told.grants) engine::keep_tokens(c, grant, services::now_s());
        engine::keep_way(c, note->answer->way, note->submitted_at, services::now_s());
        if (!*before_it) engine::item_came(c, paid_by);
        if (c != before)
            if (auto r = txn.put_setting(engine::correspondent_setting(note->sender), engine::encode(c)); !r) return r;
        return txn.put_inbound(next);
    });
    const auto r = co_await std::move(written);
    if (r) {
        services::log(services::area::delivery)
            .info("event=came_by_relay notification={} bytes={}", short_id(note->id), note->plain_bytes);
        if (auto link = links_.find(mine.key(), note->sender); link && row.stage == storage::inbound_stage::wanted) {
            queue_of(mine, note->sender).link = link;
            enqueue(mine, std::move(row));
        }
    }
    if (!r) gate_of(mine).release(note->id);
    co_return r.has_value();
}

// A stranger's mail out of a slot: the same work, limits and room as over a link, so that a relay is no way around
// them. The work done for the relay is the relay's. Who paid with a token that we have given away,
// to her or in an invite, needs none.
awaitable<receiver::admission> receiver::admit_from_relay(services::account& mine,
                                                          std::shared_ptr<const peer::notification> note,
                                                          relay::token_serial paid_by) {
    auto& gate = gate_of(mine);
    if (gate.is_reserved(note->id)) co_return admission::yes;   // shown a second time
    bool given = false;
    for (const auto& used : services::own_relays(mine.store())) {
        const auto slot = engine::slot_of(used, mine.identity());
        given = given || relay::is_serial_of(slot.serials, paid_by, note->sender) ||
                relay::is_serial_of(slot.serials, paid_by, mine.key());
    }
    if (const auto bits = gate.work_bits_at_relays(); bits > 0 && !given) {
        if (!note->work) co_return admission::never;
        if (work_checks_ >= work_checks_max) co_return admission::later;
        ++work_checks_;
        auto check = [note, bits] { return peer::is_worked_for(*note, bits); };
        const bool right = co_await offload(workers_, std::move(check));
        --work_checks_;
        if (!right) co_return admission::never;
    }
    const auto requests =
        mine.store().read([](const storage::read_txn& txn) { return txn.find_mailbox(engine::requests_name); });
    if (!requests ||
        !gate.reserve(note->id, note->sender, note->plain_bytes, *requests ? **requests : storage::mailbox()))
        co_return admission::later;
    if (gate.admit(note->sender, "", services::now_ms())) {
        gate.release(note->id);
        co_return admission::later;
    }
    co_return admission::yes;
}

// Whoever shows a token of ours is known by it, as over a link ("Contact").
awaitable<void> receiver::use_own_invite(services::account& mine, std::shared_ptr<const peer::notification> note) {
    if (!note->answer || note->answer->invite == std::array<std::byte, 16>{} || note->recipient != mine.key())
        co_return;
    auto written = commit(node_, mine, [&mine, note](storage::write_txn& txn) -> result<void> {
        auto known = txn.get_contact(note->sender);
        if (!known) return known.error();
        if (*known && ((*known)->blocked || ((*known)->accepted && (*known)->how == storage::known_by::invite_given)))
            return {};
        auto ours = txn.get_invite(note->answer->invite);
        if (!ours) return ours.error();
        auto left = engine::use_invite(*ours, services::now_ms());
        if (!left) return {};
        storage::contact contact;
        if (*known) {
            contact = **known;
        } else {
            contact.account = note->sender;
            contact.since = services::now_ms();
        }
        if (!*known || contact.how == storage::known_by::request) contact.how = storage::known_by::invite_given;
        contact.accepted = true;
        if (auto r = services::settle_contact(txn, mine, *known, std::move(contact)); !r) return r;
        return left->uses_left == 0 ? txn.erase_invite(left->token) : txn.put_invite(*left);
    });
    const auto r = co_await std::move(written);
    if (!r)
        services::log(services::area::delivery)
            .warn("event=invite_not_used reason={}", services::field(r.error().message()));
}

awaitable<result<void>> receiver::fetch_seed(services::account& mine, std::shared_ptr<const peer::notification> note,
                                             std::shared_ptr<relay_call> from, relay::seed_secrets secrets,
                                             std::uint64_t& furthest) {
    // The header comes first, and again after a restart: it is not among the chunks that are kept.
    const relay::request asked =
        relay::seed_get_request{secrets.where, 0, static_cast<std::uint32_t>(crypto::blob_header_bytes)};
    auto message = relay::encode(asked);
    const auto answer = co_await from->ask(relay::seed_protocol, std::move(message));
    auto reply = relay::reply_in<relay::seed_piece_reply>(answer);
    if (!reply) co_return relay::errc::lost;
    auto* piece = std::get_if<relay::seed_piece_reply>(&*reply);
    if (!piece) co_return storage::errc::not_found;
    if (piece->data.size() != crypto::blob_header_bytes) co_return peer::errc::bad_message;
    crypto::mask_stream(secrets.mask, 0, piece->data);
    auto opened = incoming_blob::in_file(node_.home().account(mine.label()) / "incoming", note->id);
    if (!opened) co_return opened.error();
    const auto partial = *opened;
    std::copy_n(piece->data.begin(), partial->header.size(), partial->header.begin());
    const auto chunks = (note->cipher_bytes - 1) / crypto::chunk_cipher_bytes + 1;   // sizes were checked: at least one
    if (partial->whole_chunks() > chunks)
        if (auto r = partial->restart(); !r) co_return r;
    relay::fetch_options options;
    options.secrets = std::move(secrets);
    options.content_bytes = crypto::blob_header_bytes + note->cipher_bytes;
    const auto kept = std::min(partial->whole_chunks() * crypto::chunk_cipher_bytes, note->cipher_bytes);
    options.have_bytes = crypto::blob_header_bytes + kept;

    struct progress {
        bytes pending;                   // less than a chunk
        std::uint64_t kept = 0;          // bytes of ciphertext in the file
        error_code failed;
    };
    auto p = std::make_shared<progress>();
    p->kept = kept;
    keep_piece keep = [this, p, partial, note](std::uint64_t, bytes content) {
        return keep_seed(p->pending, p->kept, p->failed, partial, note, std::move(content));
    };
    const auto over = co_await play(from, std::move(options), std::move(keep));
    furthest = std::max(furthest, p->kept);
    if (p->failed) co_return p->failed;
    if (over.how == relay::ending::refused) co_return storage::errc::not_found;
    if (over.how != relay::ending::done) co_return relay::errc::lost;
    const auto begun = std::chrono::steady_clock::now();
    auto storing = store_fetched(mine, note, partial);
    auto stored = co_await std::move(storing);
    if (stored) gate_of(mine).release(note->id);
    if (stored)
        services::log(services::area::delivery)
            .info("event=fetched_from_relay notification={} bytes={} stored_ms={}", short_id(note->id),
                  note->plain_bytes,
                  std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun)
                      .count());
    co_return stored;
}

awaitable<bool> receiver::keep_seed(bytes& pending, std::uint64_t& kept, error_code& failed,
                                    std::shared_ptr<incoming_blob> partial,
                                    std::shared_ptr<const peer::notification> note, bytes content) {
    pending.insert(pending.end(), content.begin(), content.end());
    const auto left = note->cipher_bytes - kept;
    auto whole = pending.size() / crypto::chunk_cipher_bytes * crypto::chunk_cipher_bytes;
    if (pending.size() == left) whole = pending.size();   // the last chunk may be short
    if (whole > 0) {
        result<void> stored = storage::errc::full;
        if (room_for(whole)) stored = partial->append(to_bytes(bytes_view(pending).first(whole)));
        if (!stored) {
            failed = stored.error();
            co_return false;
        }
        kept += whole;
        pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(whole));
    }
    co_return !stopping_;
}

}  // namespace pp::net

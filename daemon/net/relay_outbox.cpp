#include "daemon/net/relay_outbox.hpp"

#include "daemon/engine/strangers.hpp"
#include "daemon/net/dice.hpp"
#include "daemon/net/short_id.hpp"
#include "daemon/services/correspondents.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/own_relays.hpp"
#include "proto/mail/address.hpp"

namespace pp::net {

namespace {

constexpr const char* no_relay = "no relay of hers is known";
constexpr const char* work_first = "work is done for it first";

// Bytes of header | ciphertext.
result<bytes> read_content_of(storage::cipher_reader& cipher, std::uint64_t offset, std::size_t length) {
    bytes out;
    const auto& header = cipher.header();
    if (offset < header.size()) {
        const auto n = std::min<std::size_t>(length, header.size() - offset);
        out.assign(header.begin() + static_cast<std::ptrdiff_t>(offset),
                   header.begin() + static_cast<std::ptrdiff_t>(offset + n));
    }
    if (out.size() == length) return out;
    const auto from = offset + out.size() - header.size(), left = length - out.size();
    const auto first = from / crypto::chunk_cipher_bytes, last = (from + left - 1) / crypto::chunk_cipher_bytes;
    auto chunks = cipher.read_chunks(first, last - first + 1);
    if (!chunks) return chunks.error();
    const auto skip = from - first * crypto::chunk_cipher_bytes;
    if (chunks->size() < skip + left) return storage::errc::damaged;
    const auto begin = chunks->begin() + static_cast<std::ptrdiff_t>(skip);
    out.insert(out.end(), begin, begin + static_cast<std::ptrdiff_t>(left));
    return out;
}

bool is_at(const std::optional<engine::deposit_place>& place, const relay::slot_address& where) {
    return place && place->where.relay == where.relay && place->where.slot == where.slot;
}

}  // namespace

bool relay_outbox::begin(const storage::id16& row) {
    if (stopping_ || under_way_.size() >= deposits_at_once_max || not_before(row) > std::chrono::steady_clock::now())
        return false;
    rests_.erase(row);
    return under_way_.insert(row).second;
}

std::chrono::steady_clock::time_point relay_outbox::not_before(const storage::id16& row) const {
    const auto rest = rests_.find(row);
    return rest == rests_.end() ? std::chrono::steady_clock::time_point{} : rest->second;
}

std::chrono::steady_clock::time_point relay_outbox::not_before(const crypto::account_key& peer) const {
    const auto rest = unknown_.find(peer);
    return rest == unknown_.end() ? std::chrono::steady_clock::time_point{} : rest->second;
}

awaitable<void> relay_outbox::bring(services::account& mine, storage::outbox_row row) {
    auto e = std::make_shared<errand>();
    const auto id = row.id;
    e->notes = engine::notes_of(row);
    if (e->notes.seeded()) e->looked_after = e->notes;
    e->row = std::move(row);
    const auto nothing = co_await prepare(mine, e);
    engine::deposit_plan plan(e->hers.size(), e->ours.size());
    for (auto step = plan.next(); nothing.empty() && step && !stopping_; step = plan.next()) {
        const bool paid = co_await pay(mine, e, *step);
        if (!paid) break;   // the row is over, or the disk is full
        const auto over = co_await walk_to_its_end(mine, e, *step);
        e->notes = engine::walked(std::move(e->notes), e->before, step->at_ours,
                                  step->bring != engine::deposit_plan::what::seed, over);
        const auto& waited_at = e->looked_after.hers;
        if (over && over->how == relay::ending::refused && !over->fetched && !step->at_ours && waited_at &&
            is_at(waited_at, e->hers[step->place]))
            e->denied = true;
        if (over) plan.answered(*over);
        else plan.unreachable();
    }
    const auto pause =
        std::min<std::chrono::milliseconds>(no_relay_known_pause, with_.node.configuration().delivery.retry_max);
    if (nothing == no_relay) unknown_[e->row.account] = std::chrono::steady_clock::now() + pause;
    else unknown_.erase(e->row.account);
    bool booked = false;
    if (nothing.empty() && !stopping_ && !plan.next()) booked = co_await book(mine, e, plan);
    // done while that was written
    if (!booked && !stopping_ && !(nothing == work_first && bench_->solution_of(e->row.notification)))
        rests_[id] = std::chrono::steady_clock::now() + pause;
    if (rests_.size() > 4096) rests_.clear();   // of rows that are over: only a pause is lost
    under_way_.erase(id);
}

result<relay_outbox::mail> relay_outbox::open(services::account& mine, const storage::outbox_row& row) const {
    auto blob = mine.store().open_blob(row.mail_serial);
    if (!blob) return blob.error();
    mail out{nullptr, (*blob)->ref()};
    auto cipher = mine.store().open_cipher(out.ref.id);
    if (!cipher) return cipher.error();
    out.cipher = std::move(*cipher);
    return out;
}

// What is known of her, and of the mail.
awaitable<std::string> relay_outbox::prepare(services::account& mine, std::shared_ptr<errand> e) {
    const auto record = with_.peers.record_of(mine, e->row.account);
    auto reach = services::how_to_reach(mine.store(), record, e->row.account, services::now_s());
    for (auto& slot : found_slots_(e->row.account)) {
        const bool known =
            std::any_of(reach.slots.begin(), reach.slots.end(), [&](const auto& s) { return s.relay == slot.relay; });
        if (!known) reach.slots.push_back(std::move(slot));
    }
    if (reach.slots.empty() || !reach.prekey) co_return no_relay;
    e->hers = engine::in_order(std::move(reach.slots), e->notes);
    e->prekey_id = reach.prekey_id;
    e->prekey = *reach.prekey;
    for (auto& r : services::own_relays(mine.store()))
        if (!r.endpoints.empty()) e->ours.push_back(std::move(r));
    auto what = open(mine, e->row);
    if (!what) co_return "the mail cannot be read";
    e->what = std::move(*what);
    e->notes = engine::before_walk(std::move(e->notes), e->prekey_id, services::now_ms());
    const bool ready = co_await work_for(mine, e);
    co_return std::string(ready ? "" : work_first);
}

// Who has none of her tokens is a stranger to her and works for the mail, as over a link (proto/peer/SPEC.md, "First
// contact"). Before it is sealed: the solution stands inside.
awaitable<bool> relay_outbox::work_for(services::account& mine, std::shared_ptr<errand> e) {
    if (!e->notes.item.empty()) co_return true;
    engine::correspondent c;
    (void)mine.store().read([&](const storage::read_txn& txn) -> result<void> {
        c = services::correspondent_of(txn, e->row.account);
        return {};
    });
    const auto now = services::now_s();
    const bool known = std::any_of(e->hers.begin(), e->hers.end(),
                                   [&](const auto& s) { return engine::holds_token(c, s.relay, s.slot, now); });
    const auto record = with_.peers.record_of(mine, e->row.account);
    const auto bits = std::max(c.work_bits, record ? peer::work_asked(*record) : std::uint8_t{0});
    if (known || bits == 0) co_return true;
    e->work = bench_->solution_of(e->row.notification);
    if (e->work) co_return true;
    if (bits <= engine::work_bits_willing) {
        auto what = std::make_shared<const peer::notification>(note_of(mine, *e));
        bench_->begin(what, bits, [this, id = e->row.id, label = mine.label()] {
            rests_.erase(id);
            if (!stopping_) woken_(label, id);
        });
    }
    auto note_work = [id = e->row.id, bits, luck = dice(),
                      times = with_.node.configuration().delivery](storage::write_txn& txn) -> result<void> {
        auto row = txn.get_outbox(id);
        if (!row) return row.error();
        if (!*row || !engine::is_open(**row)) return {};
        return txn.put_outbox(engine::work_asked_for(std::move(**row), bits, services::now_ms(), luck, times));
    };
    auto written = commit(with_.node, mine, std::move(note_work));
    const auto r = co_await std::move(written);
    (void)r;   // the sentence for `queue why` only
    co_return false;
}

peer::notification relay_outbox::note_of(services::account& mine, const errand& e) const {
    peer::notification note;
    note.id = e.row.notification;
    note.sender = mine.key();
    note.device = mine.certificate();
    note.recipient = e.row.account;
    note.blob = e.what.ref.id;
    note.key = e.what.ref.key.clone();
    note.plain_bytes = e.what.ref.plain_bytes;
    note.cipher_bytes = e.what.ref.cipher_bytes;
    note.submitted_at = engine::began_at(e.row, services::now_ms()) / 1000;
    if (const auto address = pp::mail::parse_address(e.row.recipient)) note.recipient_local = address->local;
    note.work = e.work;
    return note;
}

bytes relay_outbox::seal(services::account& mine, const errand& e) const {
    auto note = note_of(mine, e);
    auto& answer = note.answer.emplace();
    if (const auto way = way_to(mine)) answer.way = *way;
    if (!e.ours.empty()) {
        const auto slot = engine::slot_of(e.ours.front(), mine.identity());
        const auto week = static_cast<std::uint16_t>(relay::week_of(services::now_s()) + relay::token_weeks_max);
        answer.token = engine::to_wire(
            relay::issue_token(slot.id(), slot.tokens, relay::make_serial(slot.serials, e.row.account), week));
    }
    const auto contact =
        mine.store().read([&](const storage::read_txn& txn) { return txn.get_contact(e.row.account); });
    if (contact && *contact && (*contact)->invite_token.size() == answer.invite.size())
        std::copy_n((*contact)->invite_token.begin(), answer.invite.size(), answer.invite.begin());
    return peer::seal_notification(note, mine.identity(), e.prekey_id, e.prekey);
}

// Before a relay sees them: the sealed item and the token of this step stand in the row, and that something may lie
// there from now on. False when it is not to go on.
awaitable<bool> relay_outbox::pay(services::account& mine, std::shared_ptr<errand> e, engine::deposit_plan::step step) {
    auto& notes = e->notes;
    e->before = notes;
    std::optional<relay::slot_address> where;
    bool paid = false;
    if (step.at_ours) {
        const auto& own = e->ours[step.place];
        const auto slot = engine::slot_of(own, mine.identity());
        where = relay::slot_address{own.relay, slot.id(), own.endpoints};
        paid = is_at(notes.ours, *where);
        const auto week = static_cast<std::uint16_t>(relay::week_of(services::now_s()) + relay::token_weeks_max);
        if (!paid) {
            auto token = relay::issue_token(slot.id(), slot.tokens, relay::make_serial(slot.serials, mine.key()), week);
            engine::walk_to(notes, true, {*where, std::move(token)});
        }
    } else {
        where = e->hers[step.place];
        paid = is_at(notes.hers, *where) && !notes.item.empty();
        if (!paid) engine::walk_to(notes, false, {*where, std::nullopt});
    }
    auto& place = step.at_ours ? notes.ours : notes.hers;
    (step.at_ours ? e->before.ours : e->before.hers) = place;
    using what = engine::deposit_plan::what;
    if (step.bring != what::item) place->lies = engine::trace::left;
    if (step.bring != what::seed) notes.item_may_lie = true;
    const auto& noted = step.at_ours ? e->before.ours : e->before.hers;
    if (paid && place->lies == noted->lies && notes.item_may_lie == e->before.item_may_lie) co_return true;
    if (notes.item.empty()) notes.item = seal(mine, *e);
    auto after = std::make_shared<engine::deposit_notes>(notes);
    auto written = commit(with_.node, mine, [e, step, where, after, paid](storage::write_txn& txn) -> result<void> {
        auto known = txn.get_outbox(e->row.id);
        if (!known) return known.error();
        if (!*known || !engine::is_open(**known)) return storage::errc::not_found;
        auto row = **known;
        if (!step.at_ours && !paid) {
            auto c = services::correspondent_of(txn, row.account);
            const auto before = c;
            after->hers->token = engine::take_token(c, where->relay, where->slot, services::now_s());
            if (c != before)
                if (auto r = txn.put_setting(engine::correspondent_setting(row.account), engine::encode(c)); !r)
                    return r;
        }
        row.deposit = engine::encode(*after);
        return txn.put_outbox(row);
    });
    const auto r = co_await std::move(written);
    if (r) notes = *after;
    co_return r.has_value();
}

awaitable<std::optional<relay::deposit_over>>
relay_outbox::walk_to_its_end(services::account& mine, std::shared_ptr<errand> e, engine::deposit_plan::step step) {
    auto over = co_await walk(mine, e, step);
    bool moved = over && over->moved_bytes > 0;
    asio::steady_timer timer(with_.io);
    auto end = std::chrono::steady_clock::now() + walk_on_limit;
    for (std::size_t pauses = 0; moved && over->how == relay::ending::lost && pauses < walk_on_pauses.size();) {
        timer.expires_after(walk_on_pauses[pauses++]);
        if (timer.expiry() > end) break;
        auto [ec] = co_await timer.async_wait(as_result);
        if (ec || stopping_ || !is_wanted(mine, e->row.id)) break;
        const auto again = co_await walk(mine, e, step);
        if (!again) continue;   // not to be reached: what is there stays there
        over = again;
        if (over->moved_bytes == 0) continue;
        pauses = 0;
        end = std::chrono::steady_clock::now() + walk_on_limit;
    }
    e->moved = e->moved || moved;
    co_return over;
}

// Whether it has not come another way meanwhile.
bool relay_outbox::is_wanted(services::account& mine, const storage::id16& id) const {
    const auto row = mine.store().read([&](const storage::read_txn& txn) { return txn.get_outbox(id); });
    return row && *row && engine::is_open(**row);
}

// Nothing: there is no link to that relay.
awaitable<std::optional<relay::deposit_over>> relay_outbox::walk(services::account& mine, std::shared_ptr<errand> e,
                                                                 engine::deposit_plan::step step) {
    const auto& place = step.at_ours ? *e->notes.ours : *e->notes.hers;
    relay::deposit_options options{place.where.relay, place.where.slot};
    options.token = place.token;
    options.work_bits_max = engine::work_willing_bits;
    using what = engine::deposit_plan::what;
    if (step.bring != what::seed) options.item = e->notes.item;
    if (step.bring != what::item) {
        relay::deposit_options::seed body{
            relay::derive_seed(e->what.ref.key, e->row.notification, place.where.relay, place.where.slot),
            crypto::blob_header_bytes + e->what.ref.cipher_bytes};
        options.body.emplace(std::move(body));
    }
    std::string why;
    auto nobody = throw_away_identity(services::now_s());
    auto endpoints = step.at_ours ? endpoints_of(place.where.endpoints) : dialable(mine, place.where.endpoints);
    auto call = co_await relay_call::dial(with_.io, std::move(nobody), place.where.relay, std::move(endpoints), why);
    if (!call) co_return std::nullopt;
    read_content read = [this, call, cipher = e->what.cipher](std::uint64_t offset, std::size_t length) {
        return read_piece(call, cipher, offset, length);
    };
    auto over = co_await play(call, std::move(options), std::move(read), with_.workers);
    call->hang_up();
    services::log(services::area::delivery)
        .info("event=deposit notification={} at={} what={} how={} status={}", short_id(e->row.notification),
              step.at_ours ? "own" : "hers", static_cast<unsigned>(step.bring), static_cast<unsigned>(over.how),
              static_cast<unsigned>(over.why.why));
    co_return over;
}

awaitable<result<bytes>> relay_outbox::read_piece(std::shared_ptr<relay_call> call,
                                                  std::shared_ptr<storage::cipher_reader> cipher, std::uint64_t offset,
                                                  std::size_t length) {
    if (stopping_) {
        call->hang_up();
        co_return relay::errc::lost;
    }
    co_return read_content_of(*cipher, offset, length);
}

awaitable<bool> relay_outbox::book(services::account& mine, std::shared_ptr<errand> e,
                                   const engine::deposit_plan& plan) {
    auto notes = e->notes;
    if (e->moved) notes.attempts = 0;   // the next one goes on, and soon
    const bool as_before = !plan.seeded() && !e->denied;   // what cannot be reached is believed to have it still
    notes.item_left = as_before ? e->looked_after.item_left : plan.seeded();
    notes.seed_at_ours = as_before ? e->looked_after.seed_at_ours : plan.seeded() && plan.seed_at_ours();
    notes.seed_at_hers = as_before ? e->looked_after.seed_at_hers : plan.seeded() && !plan.seed_at_ours();
    const auto luck = dice();
    auto given_up = std::make_shared<bool>(false);
    const bool linked = with_.peers.find(mine.key(), e->row.account) != nullptr;
    auto why = (linked ? "the mail comes slowly to the recipient's computer, and "
                       : "the recipient's computer was not reached, and ") +
               plan.sentence();
    auto note_deposit = [this, e, notes, luck, given_up, seeded = plan.seeded(), ttl = plan.ttl_s(),
                         why = std::move(why)](storage::write_txn& txn) -> result<void> {
        auto known = txn.get_outbox(e->row.id);
        if (!known) return known.error();
        *given_up = *known && (*known)->state == storage::outbox_state::failed;   // cancelled meanwhile
        if (!*known || !engine::is_open(**known)) return {};
        const auto now = services::now_ms();
        const auto& times = with_.node.configuration().delivery;
        return txn.put_outbox(seeded ? engine::deposited(std::move(**known), notes, ttl, now, times)
                                     : engine::deposit_failed(std::move(**known), notes, why, now, luck, times));
    };
    auto written = commit(with_.node, mine, std::move(note_deposit));
    const auto r = co_await std::move(written);
    if (!r)
        services::log(services::area::delivery)
            .error("event=row_not_written reason={}", services::field(r.error().message()));
    if (*given_up) {
        auto row = e->row;
        row.deposit = engine::encode(notes);
        co_await take_back(mine, std::move(row));   // it was cancelled when it had gone already
    } else if (r && plan.seeded()) {
        const std::string_view where = plan.seed_at_ours() ? "own" : "hers";
        services::log(services::area::delivery)
            .info("event=waits_at_relay notification={} at={}", short_id(e->row.notification), where);
    }
    co_return r.has_value();
}

// ---------------------------------------------------------------- taking back

awaitable<void> relay_outbox::take_back(services::account& mine, storage::outbox_row row) {
    const auto notes = engine::notes_of(row);
    for (const auto& known : engine::places_of(notes)) {
        if (!engine::may_lie(known.place) || stopping_) continue;
        auto from = known.place;
        const auto lies = co_await take_back_from(mine, row, std::move(from), known.at_ours);
        if (lies == known.place.lies || stopping_) continue;
        const bool noted = co_await note_trace(mine, row.id, known.place.where, lies);
        (void)noted;   // the disk is full: asked again
    }
}

// What is there afterwards.
awaitable<engine::trace> relay_outbox::take_back_from(services::account& mine, const storage::outbox_row& row,
                                                      engine::deposit_place place, bool at_ours) {
    using engine::trace;
    auto what = open(mine, row);
    if (!what) co_return place.lies;
    std::string why;
    auto nobody = throw_away_identity(services::now_s());
    auto endpoints = at_ours ? endpoints_of(place.where.endpoints) : dialable(mine, place.where.endpoints);
    auto call = co_await relay_call::dial(with_.io, std::move(nobody), place.where.relay, std::move(endpoints), why);
    if (!call) co_return place.lies;
    const auto secrets = relay::derive_seed(what->ref.key, row.notification, place.where.relay, place.where.slot);
    const relay::request asked = relay::seed_state_request{secrets.where};
    auto message = relay::encode(asked);
    const auto answer = co_await call->ask(relay::control_protocol, std::move(message));
    const auto state = relay::reply_in<relay::seed_reply>(answer);
    const auto* seed = state ? std::get_if<relay::seed_reply>(&*state) : nullptr;
    const auto* no = state ? std::get_if<relay::refusal>(&*state) : nullptr;
    auto lies = place.lies;
    if (no && no->why == relay::status::not_found) {
        lies = trace::gone;
    } else if (seed && seed->phase == relay::seed_phase::deleted) {
        lies = place.lies == trace::taking ? trace::gone : trace::fetched;   // by us, and its answer was lost
    } else if (seed) {
        // Noted first: a relay says the same of what we have deleted and of what she has.
        bool noted = place.lies == trace::taking;
        if (!noted) noted = co_await note_trace(mine, row.id, place.where, trace::taking);
        if (noted) {
            lies = trace::taking;
            const bool gone = co_await delete_seed(call, secrets.where, secrets.deletion);
            if (gone) lies = trace::gone;
        }
    }
    call->hang_up();
    services::log(services::area::delivery)
        .info("event=taken_back notification={} lies={}", short_id(row.notification), static_cast<unsigned>(lies));
    co_return lies;
}

awaitable<bool> relay_outbox::note_trace(services::account& mine, storage::id16 id, relay::slot_address where,
                                         engine::trace lies) {
    auto written = commit(with_.node, mine, [id, where, lies](storage::write_txn& txn) -> result<void> {
        auto row = txn.get_outbox(id);
        if (!row) return row.error();
        if (!*row) return {};
        auto notes = engine::notes_of(**row);
        engine::learn_trace(notes, where, lies);
        (*row)->deposit = engine::encode(notes);
        return txn.put_outbox(**row);
    });
    const auto r = co_await std::move(written);
    co_return r.has_value();
}

}  // namespace pp::net

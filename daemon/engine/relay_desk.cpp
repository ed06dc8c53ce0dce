#include "daemon/engine/relay_desk.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

namespace store = storage::relay;
using relay::refusal;
using relay::status;

// When the store cannot take anything: as long as a disk takes to be looked after by somebody.
constexpr std::uint32_t retry_when_full_s = 3600;
constexpr std::uint32_t retry_when_broken_s = 600;

store::payer payer_of(const relay::payer& by) {
    // Good to the end of the token's week.
    return {by.serial.data, (static_cast<std::int64_t>(by.week) + 1) * relay::week_s};
}

relay::seed_reply reply_of(const store::seed_state& s) {
    relay::seed_reply out;
    switch (s.phase) {
    case store::seed_phase::partial: out.phase = relay::seed_phase::partial; break;
    case store::seed_phase::whole: out.phase = relay::seed_phase::whole; break;
    case store::seed_phase::deleted: out.phase = relay::seed_phase::deleted; break;
    }
    out.size_bytes = s.size_bytes;
    out.have_bytes = s.have_bytes;
    out.ttl_s = s.ttl_s;
    return out;
}

relay::outcome outcome_of(const result<void>& r) {
    if (r) return {status::ok, 0};
    const auto no = refusal_of(r.error());
    return {no.why, no.retry_after_s};
}

template <class F>
relay_step here(F run) {
    relay_step step;
    step.run = std::move(run);
    return step;
}
template <class F>
relay_step on_worker(F run) {
    relay_step step;
    step.where = relay_step::place::worker;
    step.run = std::move(run);
    return step;
}
template <class Job, class Told>
relay_step on_writer(Job job, Told told) {
    relay_step step;
    step.where = relay_step::place::writer;
    step.job = std::move(job);
    step.told = std::move(told);
    return step;
}

}  // namespace

refusal refusal_of(const error_code& error) {
    if (error == store::errc::no_slot) return {status::no_slot, 0};
    if (error == store::errc::token_spent) return {status::token_spent, 0};
    if (error == store::errc::slot_full) return {status::full, retry_when_full_s};
    if (error == store::errc::relay_full || error == storage::errc::full)
        return {status::relay_full, retry_when_full_s};
    if (error == store::errc::too_large) return {status::too_large, 0};
    if (error == store::errc::not_found) return {status::not_found, 0};
    if (error == store::errc::bad_proof) return {status::bad_proof, 0};
    if (error == store::errc::wrong_offset) return {status::wrong_offset, 0};
    if (error == store::errc::no_invite) return {status::refused, 0};
    return {status::busy, retry_when_broken_s};
}

relay::info_reply announce(const relay_policy& policy, const store::store_limits& limits) {
    relay::info_reply out;
    out.policy = policy.serve;
    out.open_bits = policy.serve == relay::serving::open ? policy.open_bits : relay::work_closed;
    out.items_max = limits.items_max;
    out.item_ttl_s = limits.item_ttl_s;
    out.seed_total_max = limits.seed_total_max;
    out.seed_bytes_max = std::min(limits.seed_bytes_max, limits.seed_total_max);
    out.seed_ttl_s = limits.seed_ttl_s;
    out.poll_s = std::clamp(policy.poll_s, relay::poll_min_s, relay::poll_max_s);
    out.reservation_s = std::min(policy.reservation_s, relay::reservation_s_max);
    return out;
}

relay_step relay_desk::answer(relay::event asked, const relay_client& client, std::int64_t now) {
    return std::visit([&](auto& q) { return on(std::move(q), client, now); }, asked);
}

store::relay_store::job relay_desk::touch(const relay::slot_id& slot, std::int64_t now) const {
    return [slot = slot.data, now](store::change& c) { return c.touch_slot(slot, now); };
}

// ---------------------------------------------------------------- slots
relay_step relay_desk::on(relay::slot_wanted q, const relay_client&, std::int64_t now) {
    return here([this, slot = q.slot.data, now]() -> relay::verdict {
        relay::slot_facts out;
        out.now = now;
        const auto found = store_.slot(slot);
        if (!found || !*found) return out;
        out.found = true;
        out.tokens.data = (*found)->tokens;
        out.previous_tokens.data = (*found)->previous_tokens;
        out.stranger_bits = (*found)->stranger_bits;
        out.items = (*found)->items;
        out.seed_bytes = (*found)->seed_bytes;
        return out;
    });
}

relay_step relay_desk::on(relay::work_check q, const relay_client&, std::int64_t) {
    return on_worker([q]() -> relay::verdict { return relay::checked{relay::is_solved(q.task, q.solution)}; });
}

relay_step relay_desk::on(relay::may_open q, const relay_client& client, std::int64_t) {
    // Each policy lets in whom the one before lets in.
    auto what = status::refused;
    const auto serves = [this](relay::serving at_least) { return policy_.serve >= at_least; };
    if (serves(relay::serving::self) && client.is_own) what = status::ok;
    else if (serves(relay::serving::contacts) && client.is_contact) what = status::ok;
    // slot_open looks at it
    else if (serves(relay::serving::invited) && q.invite != relay::array16{}) what = status::ok;
    else if (serves(relay::serving::open)) what = status::work_needed;
    return here([what]() -> relay::verdict { return relay::outcome{what, 0}; });
}

bool relay_desk::may_reserve(const relay_client& client, bool has_slot) const {
    const auto serves = [this](relay::serving at_least) { return policy_.serve >= at_least; };
    return (serves(relay::serving::self) && client.is_own) || (serves(relay::serving::contacts) && client.is_contact) ||
           (serves(relay::serving::invited) && has_slot);
}

relay_step relay_desk::on(relay::slot_open q, const relay_client& client, std::int64_t now) {
    store::slot_opening opening;
    opening.slot = relay::slot_id_of(q.settings.key).data;
    opening.key = q.settings.key.data;
    opening.tokens = q.settings.tokens.data;
    opening.previous_tokens = q.settings.previous_tokens.data;
    opening.stranger_bits = q.settings.stranger_bits;
    opening.owner = to_bytes(client.account.view());
    // Who may open without an invite keeps it.
    const bool known = client.is_own || (client.is_contact && policy_.serve >= relay::serving::contacts);
    if (!known && q.settings.invite != relay::array16{}) opening.invite = q.settings.invite;
    return on_writer([opening = std::move(opening), now](store::change& c) { return c.open_slot(opening, now); },
                     [](const result<void>& r) -> relay::verdict { return outcome_of(r); });
}

relay_step relay_desk::on(relay::slot_close q, const relay_client&, std::int64_t) {
    return on_writer([slot = q.slot.data](store::change& c) { return c.close_slot(slot); },
                     [](const result<void>& r) -> relay::verdict { return outcome_of(r); });
}

// ---------------------------------------------------------------- items
relay_step relay_desk::on(relay::item_deposit q, const relay_client&, std::int64_t now) {
    auto done = std::make_shared<store::deposited>();
    return on_writer(
        [slot = q.slot.data, by = payer_of(q.by), item = std::move(q.item), now,
         done](store::change& c) -> result<void> {
            const auto r = c.deposit(slot, by, item, now);
            if (!r) return r.error();
            *done = *r;
            return {};
        },
        [done](const result<void>& r) -> relay::verdict {
            if (!r) return relay::reply<relay::deposit_reply>(refusal_of(r.error()));
            return relay::reply<relay::deposit_reply>(relay::deposit_reply{done->ttl_s});
        });
}

relay_step relay_desk::on(relay::items_wanted q, const relay_client&, std::int64_t) {
    return here([this, q]() -> relay::verdict {
        auto found = store_.items(q.slot.data, q.after, q.count);
        if (!found) return relay::reply<relay::list_reply>(refusal_of(found.error()));
        relay::list_reply out;
        out.more = found->more;
        for (auto& item : found->items) {
            if (item.item.size() != relay::item_bytes) continue;   // nothing the protocol can have brought
            relay::listed_item one;
            one.number = item.number;
            one.paid_by.data = item.serial;
            one.item = std::move(item.item);
            out.items.push_back(std::move(one));
        }
        return relay::reply<relay::list_reply>(std::move(out));
    });
}

relay_step relay_desk::on(relay::items_erase q, const relay_client&, std::int64_t) {
    return on_writer(
        [slot = q.slot.data, numbers = std::move(q.numbers)](store::change& c) { return c.erase_items(slot, numbers); },
        [](const result<void>& r) -> relay::verdict { return outcome_of(r); });
}

// ---------------------------------------------------------------- seeds
relay_step relay_desk::on(relay::seed_begin q, const relay_client&, std::int64_t now) {
    auto state = std::make_shared<store::seed_state>();
    const store::seed_beginning seed{q.slot.data, payer_of(q.by), q.where.data, q.size_bytes, q.deletion.data};
    return on_writer(
        [seed, now, state](store::change& c) -> result<void> {
            const auto r = c.begin_seed(seed, now);
            if (!r) return r.error();
            *state = *r;
            return {};
        },
        [state](const result<void>& r) -> relay::verdict {
            if (!r) return relay::reply<relay::seed_reply>(refusal_of(r.error()));
            return relay::reply<relay::seed_reply>(reply_of(*state));
        });
}

relay_step relay_desk::on(relay::seed_wanted q, const relay_client&, std::int64_t now) {
    return on_worker([this, where = q.where.data, now]() -> relay::verdict {
        const auto state = store_.seed(where, now);
        if (!state) return relay::reply<relay::seed_reply>(refusal_of(state.error()));
        return relay::reply<relay::seed_reply>(reply_of(*state));
    });
}

relay_step relay_desk::on(relay::seed_put q, const relay_client&, std::int64_t now) {
    auto piece = std::make_shared<relay::seed_put_request>(std::move(q.piece));
    return on_worker([this, piece, now]() -> relay::verdict {
        const auto state = store_.put_seed(piece->where.data, piece->offset, piece->data, now);
        if (!state) return relay::reply<relay::seed_reply>(refusal_of(state.error()));
        return relay::reply<relay::seed_reply>(reply_of(*state));
    });
}

relay_step relay_desk::on(relay::seed_get q, const relay_client&, std::int64_t) {
    return on_worker([this, range = q.range]() -> relay::verdict {
        auto piece = store_.read_seed(range.where.data, range.offset, range.length_bytes);
        if (!piece) return relay::reply<relay::seed_piece_reply>(refusal_of(piece.error()));
        return relay::reply<relay::seed_piece_reply>(
            relay::seed_piece_reply{piece->size_bytes, std::move(piece->data)});
    });
}

relay_step relay_desk::on(relay::seed_delete q, const relay_client&, std::int64_t) {
    return on_writer(
        [where = q.where.data, deletion = q.deletion.data](store::change& c) { return c.delete_seed(where, deletion); },
        [](const result<void>& r) -> relay::verdict { return outcome_of(r); });
}

// ---------------------------------------------------------------- live links
relay_step relay_desk::on(relay::reserve, const relay_client&, std::int64_t) {
    return here([]() -> relay::verdict { return relay::reply<relay::reserve_reply>(refusal{status::refused, 0}); });
}
relay_step relay_desk::on(relay::circuit_wanted, const relay_client&, std::int64_t) {
    return here([]() -> relay::verdict { return relay::reply<relay::connect_reply>(refusal{status::refused, 0}); });
}

}  // namespace pp::engine

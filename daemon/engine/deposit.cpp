#include "daemon/engine/deposit.hpp"

#include "daemon/engine/own_relays.hpp"
#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

// 1: without traces and times; 2: without earlier places; 3: every look pays anew. All are read.
constexpr std::uint8_t notes_version = 4;
constexpr std::uint8_t bit_hers = 1, bit_ours = 2, bit_item_left = 4, bit_seed_at_hers = 8, bit_seed_at_ours = 16,
                       bit_item = 32, bit_item_may_lie = 64, bit_in_doubt = 128;
// A seed is paid anew when so much of its time is over.
constexpr std::int64_t renew_numerator = 3, renew_denominator = 4;
constexpr milliseconds look_pause_max = std::chrono::hours(24);
// Relays tell times in hours: that much more of it is no new time.
constexpr milliseconds same_time = std::chrono::hours(2);

// No relay keeps anything for longer.
constexpr milliseconds look_longest = std::chrono::days(400);

void write(wire::byte_writer& out, const deposit_place& p) {
    out.text8(relay::encode_address(p.where), relay::slot_address_bytes_max).u8(p.token ? 1 : 0);
    if (p.token) out.raw(to_wire(*p.token));
    out.u8(static_cast<std::uint8_t>(p.lies));
}

std::optional<deposit_place> read_place(wire::byte_reader& in, std::uint8_t version) {
    deposit_place p;
    auto where = relay::decode_address(in.text8(relay::slot_address_bytes_max));
    if (in.u8() == 1) p.token = token_from_wire(in.view(relay::token_bytes));
    const auto lies = version == 1 ? static_cast<std::uint8_t>(trace::left) : in.u8();
    p.lies = static_cast<trace>(lies);
    if (!where || in.failed() || lies > static_cast<std::uint8_t>(trace::fetched)) {
        in.fail();
        return std::nullopt;
    }
    p.where = std::move(*where);
    return p;
}

}  // namespace

bytes encode(const deposit_notes& n) {
    wire::byte_writer out;
    const auto bits = (n.hers ? bit_hers : 0) | (n.ours ? bit_ours : 0) | (n.item_left ? bit_item_left : 0) |
                      (n.seed_at_hers ? bit_seed_at_hers : 0) | (n.seed_at_ours ? bit_seed_at_ours : 0) |
                      (n.item.empty() ? 0 : bit_item) | (n.item_may_lie ? bit_item_may_lie : 0) |
                      (n.in_doubt ? bit_in_doubt : 0);
    out.u8(notes_version).u8(static_cast<std::uint8_t>(bits)).i64(n.look_at).u32(n.attempts).i64(n.lies_until);
    out.i64(n.renew_at);
    if (n.hers) write(out, *n.hers);
    if (n.ours) write(out, *n.ours);
    if (!n.item.empty()) out.raw(n.item);
    out.u8(static_cast<std::uint8_t>(n.earlier.size()));
    for (const auto& e : n.earlier) {
        write(out, e.place);
        out.u8(e.at_ours ? 1 : 0);
    }
    return out.take();
}

deposit_notes notes_of(const storage::outbox_row& row) {
    wire::byte_reader in(row.deposit);
    deposit_notes n;
    const auto version = in.u8();
    if (version < 1 || version > notes_version) return {};
    const auto bits = in.u8();
    n.look_at = in.i64();
    n.attempts = in.u32();
    if (version != 1) n.lies_until = in.i64();
    n.renew_at = version < 4 ? n.look_at : in.i64();
    if (bits & bit_hers) n.hers = read_place(in, version);
    if (bits & bit_ours) n.ours = read_place(in, version);
    n.item_may_lie = bits & bit_item_may_lie;
    n.in_doubt = bits & bit_in_doubt;
    n.item_left = bits & bit_item_left;
    n.seed_at_hers = bits & bit_seed_at_hers;
    n.seed_at_ours = bits & bit_seed_at_ours;
    if (bits & bit_item) n.item = to_bytes(in.view(relay::item_bytes));
    const std::size_t earlier = version < 3 ? 0 : in.u8();
    if (earlier > earlier_places_max) in.fail();
    for (std::size_t i = 0; i < earlier && !in.failed(); ++i)
        if (auto place = read_place(in, version)) n.earlier.push_back({std::move(*place), in.u8() == 1});
    return in.complete() ? n : deposit_notes();
}

namespace {

// When she has been out of reach for long enough. Of a mail that was submitted when the clock was ahead nobody knows
// how long it waits: it does not wait until then.
unix_ms reach_is_over_at(const storage::outbox_row& row, unix_ms unlinked_since, unix_ms now,
                         const delivery_times& times) {
    const auto begun = begins_at(row) <= now ? begins_at(row) : 0;
    return std::max(begun, unlinked_since) + times.reach.count();
}

}  // namespace

unix_ms deposit_due_at(const storage::outbox_row& row, unix_ms unlinked_since, unix_ms now,
                       const delivery_times& times) {
    return std::max(reach_is_over_at(row, unlinked_since, now, times), notes_of(row).look_at);
}

bool deposit_is_due(const storage::outbox_row& row, unix_ms unlinked_since, unix_ms now, const delivery_times& times) {
    if (!is_open(row) || is_held(row, now)) return false;
    if (now >= begins_at(row) + times.fail_after.count()) return false;   // it would be taken back at once
    const auto notes = notes_of(row);
    // A moment that far ahead was written when the clock was wrong.
    const auto longest = notes.seeded() ? look_longest : times.retry_max * 2;
    const bool look_is_over = now >= notes.look_at || notes.look_at - now > longest.count();
    return look_is_over && now >= reach_is_over_at(row, unlinked_since, now, times);
}

// ---------------------------------------------------------------- the walk
std::optional<deposit_plan::step> deposit_plan::next() const {
    switch (state_) {
    case state::all_at_hers:
        if (her_ < hers_) return step{what::all, false, her_};
        break;
    case state::seed_at_ours: return step{what::seed, true, our_};
    case state::item_at_hers: return step{what::item, false, her_};
    case state::done:
    case state::failed: break;
    }
    return std::nullopt;
}

void deposit_plan::note(const relay::deposit_over& over) {
    const bool at_ours = state_ == state::seed_at_ours;
    std::string said;
    switch (over.how) {
    case relay::ending::done: return;
    case relay::ending::refused:
        // What its owner could do about it is of no use to who writes to her.
        said = !at_ours && over.why.why == relay::status::refused ? "keeps no mail for the recipient any more"
                                                                  : refusal_text(over.why);
        break;
    case relay::ending::unwilling: said = "asks a stranger for more work than this node does"; break;
    case relay::ending::lost: said = "broke off"; break;
    }
    auto& place = at_ours ? our_answer_ : her_answer_;
    if (place.empty()) place = std::move(said);
}

void deposit_plan::next_of_hers() {
    ++her_;
    state_ = her_ < hers_ ? (have_seed_ && seed_at_ours_ ? state::item_at_hers : state::all_at_hers) : state::failed;
    our_ = have_seed_ ? our_ : 0;
}

void deposit_plan::answered(const relay::deposit_over& over) {
    note(over);
    fetched_ = fetched_ || over.fetched;
    const auto shorter = [this](std::uint32_t ttl) { ttl_s_ = ttl_s_ == 0 ? ttl : std::min(ttl_s_, ttl); };
    switch (state_) {
    case state::all_at_hers:
        if (over.how == relay::ending::done) {
            shorter(over.seed_ttl_s);
            shorter(over.item_ttl_s);
            state_ = state::done;
        } else if (over.how == relay::ending::refused && !over.seeded && ours_ > 0 &&
                   over.why.why != relay::status::no_slot) {
            // She has no room for so much, but for a notification perhaps: the mail itself stays with us.
            state_ = have_seed_ ? state::item_at_hers : state::seed_at_ours;
        } else {
            next_of_hers();
        }
        break;
    case state::seed_at_ours:
        if (over.how == relay::ending::done) {
            have_seed_ = seed_at_ours_ = true;
            shorter(over.seed_ttl_s);
            state_ = state::item_at_hers;
        } else if (++our_ >= ours_) {
            our_ = 0;
            next_of_hers();
        }
        break;
    case state::item_at_hers:
        if (over.how == relay::ending::done) {
            shorter(over.item_ttl_s);
            state_ = state::done;
        } else {
            next_of_hers();
        }
        break;
    case state::done:
    case state::failed: break;
    }
}

void deposit_plan::unreachable() {
    relay::deposit_over over;
    auto& place = state_ == state::seed_at_ours ? our_answer_ : her_answer_;
    if (place.empty()) place = "cannot be reached";
    answered(over);
}

std::string deposit_plan::sentence() const {
    if (hers_ == 0) return "the recipient has named no relay where a mail could wait for her";
    std::string out = "the recipient's relay " + (her_answer_.empty() ? "cannot be reached" : her_answer_);
    if (!our_answer_.empty()) out += "; our own relay " + our_answer_;
    return out;
}

// ---------------------------------------------------------------- what may lie where
namespace {

bool is_same(const relay::slot_address& a, const relay::slot_address& b) {
    return a.relay == b.relay && a.slot == b.slot;
}

void keep_in_mind(deposit_notes& n, deposit_place place, bool at_ours) {
    if (!may_lie(place)) return;
    if (n.earlier.size() == earlier_places_max) n.earlier.erase(n.earlier.begin());
    n.earlier.push_back({std::move(place), at_ours});
}

}  // namespace

bool may_lie(const deposit_place& place) { return place.lies == trace::left || place.lies == trace::taking; }

void walk_to(deposit_notes& n, bool at_ours, deposit_place place) {
    auto& current = at_ours ? n.ours : n.hers;
    if (current && is_same(current->where, place.where)) {
        place.lies = current->lies;
    } else {
        if (current) keep_in_mind(n, std::move(*current), at_ours);
        std::erase_if(n.earlier, [&](const auto& e) {
            if (!is_same(e.place.where, place.where)) return false;
            place.lies = e.place.lies;
            return true;
        });
    }
    current = std::move(place);
}

deposit_notes begun_anew(deposit_notes n) {
    deposit_notes out;
    out.item_may_lie = n.item_left || n.item_may_lie;
    out.lies_until = n.lies_until;
    out.earlier = std::move(n.earlier);
    if (n.ours) keep_in_mind(out, std::move(*n.ours), true);
    if (n.hers) keep_in_mind(out, std::move(*n.hers), false);
    return out;
}

std::vector<deposit_notes::earlier_place> places_of(const deposit_notes& n) {
    std::vector<deposit_notes::earlier_place> out;
    if (n.hers) out.push_back({*n.hers, false});
    if (n.ours) out.push_back({*n.ours, true});
    out.insert(out.end(), n.earlier.begin(), n.earlier.end());
    return out;
}

void learn_trace(deposit_notes& n, const relay::slot_address& where, trace lies) {
    for (auto* place : {&n.hers, &n.ours})
        if (*place && is_same((*place)->where, where)) (*place)->lies = lies;
    for (auto& e : n.earlier)
        if (is_same(e.place.where, where)) e.place.lies = lies;
}

deposit_notes walked(deposit_notes notes, const deposit_notes& before, bool at_ours, bool with_item,
                     const std::optional<relay::deposit_over>& over) {
    auto& place = at_ours ? notes.ours : notes.hers;
    const auto& was = at_ours ? before.ours : before.hers;
    const bool ended_well = over && over->how == relay::ending::done;
    const bool told_no = !over || over->how == relay::ending::refused || over->how == relay::ending::unwilling;
    // No is said before anything is kept, except to a piece of the seed, or to the item when the seed is there.
    if (told_no) notes.item_may_lie = before.item_may_lie;
    if (told_no && !(over && over->begun) && place) place->lies = was ? was->lies : trace::none;
    if (ended_well && over->fetched && place) place->lies = trace::fetched;
    if (with_item && ended_well) notes.item_may_lie = true;
    return notes;
}

// ---------------------------------------------------------------- looking after it
bool was_fetched(const deposit_notes& n) {
    return (n.hers && n.hers->lies == trace::fetched) || (n.ours && n.ours->lies == trace::fetched);
}

deposit_notes before_walk(deposit_notes n, std::uint32_t prekey_id, unix_ms now) {
    const bool anew = n.seeded() ? now >= n.renew_at : !n.item.empty() && peer::prekey_id_of(n.item) != prekey_id;
    if (anew) return begun_anew(std::move(n));
    if (n.seeded() && was_fetched(n)) n.item.clear();
    return n;
}

std::vector<relay::slot_address> in_order(std::vector<relay::slot_address> hers, const deposit_notes& n) {
    std::stable_partition(hers.begin(), hers.end(),
                          [&](const auto& slot) { return n.seeded() && n.hers && is_same(slot, n.hers->where); });
    return hers;
}

// ---------------------------------------------------------------- the row
std::optional<storage::outbox_row> way_came(storage::outbox_row row, const relay::slot_address& where, unix_ms now) {
    if (!is_open(row) || row.deposit.empty()) return std::nullopt;
    auto notes = notes_of(row);
    if (notes.look_at <= now || (notes.seeded() && notes.hers && is_same(notes.hers->where, where)))
        return std::nullopt;
    notes.look_at = now;
    notes.attempts = 0;
    row.deposit = encode(notes);
    return row;
}

std::optional<storage::outbox_row> redated(storage::outbox_row row, unix_ms from, unix_ms until, milliseconds by) {
    if (!is_open(row) || row.submitted_at < from || row.submitted_at > until) return std::nullopt;
    for (auto* at : {&row.submitted_at, &row.state_since, &row.next_attempt_at, &row.hold_until, &row.left_at})
        if (*at != 0) *at += by.count();
    if (row.deposit.empty()) return row;
    auto notes = notes_of(row);
    notes.item.clear();
    for (auto* at : {&notes.lies_until, &notes.renew_at})
        if (*at != 0) *at += by.count();
    notes.look_at = row.submitted_at;
    row.deposit = encode(notes);
    return row;
}

storage::outbox_row deposited(storage::outbox_row row, deposit_notes notes, std::uint32_t ttl_s, unix_ms now,
                              const delivery_times& times) {
    if (!is_open(row)) return row;
    if (row.state != storage::outbox_state::seeded) {
        row.state = storage::outbox_state::seeded;
        row.state_since = row.left_at = now;
    }
    notes.attempts = 0;
    const auto time = std::int64_t{ttl_s} * 1000;
    if (notes.renew_at == 0 || now + time > notes.lies_until + same_time.count())
        notes.renew_at = now + time * renew_numerator / renew_denominator;
    notes.lies_until = now + time;
    const auto pause = std::clamp<unix_ms>(now - row.state_since, times.look_after.count(),
                                           std::max(times.look_after, look_pause_max).count());
    notes.look_at = std::min(std::max(notes.renew_at, now), now + pause);
    row.deposit = encode(notes);
    row.last_error.clear();
    return row;
}

storage::outbox_row deposit_failed(storage::outbox_row row, deposit_notes notes, std::string sentence, unix_ms now,
                                   double dice, const delivery_times& times) {
    if (!is_open(row)) return row;
    if (row.state == storage::outbox_state::seeded && !notes.seeded()) {
        row.state = storage::outbox_state::queued;
        row.state_since = now;
    }
    // What began to be paid anew goes on with that payment.
    if (notes.seeded() && now >= notes.renew_at) notes.renew_at = now + look_pause_max.count();
    notes.look_at = next_attempt(notes.attempts, now, dice, times);
    if (notes.attempts < UINT32_MAX) ++notes.attempts;
    row.deposit = encode(notes);
    if (row.attempts < UINT32_MAX) ++row.attempts;
    row.last_error = std::move(sentence);
    return row;
}

}  // namespace pp::engine

// Slots, items, invites, and what ends by itself. Seeds are in change_seeds.cpp.
#include "storage/relay/change.hpp"

#include "storage/attempt.hpp"

#include <algorithm>

namespace pp::storage::relay {

namespace {
constexpr std::uint32_t touch_step_hours = 7 * 24;      // how exactly it is known when an owner was here

row_name begin_key(std::uint64_t number) { return row_name().u64(number); }
}  // namespace

bytes key_of(std::uint64_t number) { return to_bytes(begin_key(number).view()); }
bytes key_of(std::uint64_t number, std::uint64_t second) { return to_bytes(begin_key(number).u64(second).view()); }
bytes key_of(std::uint64_t number, const tag16& tag) { return to_bytes(begin_key(number).raw(tag).view()); }
bytes due_key(std::uint32_t hour, due_kind kind, bytes_view rest) {
    return to_bytes(row_name().u32(hour).u8(static_cast<std::uint8_t>(kind)).raw(rest).view());
}

std::uint32_t seconds_until(std::uint32_t hour, std::int64_t now) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(std::int64_t{hour} * hour_s - now, 0, 0xffffffff));
}

// ---------------------------------------------------------------- sums and room
result<totals*> change::sums() {
    if (!sums_) {
        PP_LET(auto row, get<totals>(table::meta, pp::as_bytes(totals_key)));
        sums_ = row.value_or(totals{});
    }
    return &*sums_;
}

result<void> change::finish() {
    if (changed_ && sums_) PP_TRY(put(table::meta, pp::as_bytes(totals_key), *sums_));
    return {};
}

bool change::has_room(std::uint64_t more) const {
    const auto used = sums_->items * item_bytes_max + sums_->seed_bytes;
    if (limits_.bytes_total_max != 0 && (used > limits_.bytes_total_max || more > limits_.bytes_total_max - used))
        return false;
    return free_bytes_ >= limits_.reserve_bytes && more <= free_bytes_ - limits_.reserve_bytes;
}

// ---------------------------------------------------------------- slots
result<std::optional<slot_row>> change::find_slot(const tag16& slot) const { return get<slot_row>(table::slot, slot); }

result<std::pair<tag16, slot_row>> change::must_find_slot(const id16& slot) const {
    const auto tag = rows_.tag(table::slot, slot);
    PP_LET(auto row, find_slot(tag));
    if (!row) return errc::no_slot;
    return std::pair(tag, *row);
}

result<void> change::save(const tag16& slot, const slot_row& row) { return put(table::slot, slot, row); }

result<std::pair<tag16, slot_row>> change::slot_of_number(std::uint64_t number) const {
    PP_LET(const auto raw, rows_.get(txn_, table::number, key_of(number)));
    if (!raw || raw->size() != sizeof(tag16)) return storage::errc::damaged;
    tag16 tag;
    std::copy(raw->begin(), raw->end(), tag.begin());
    PP_LET(auto row, find_slot(tag));
    if (!row) return storage::errc::damaged;
    return std::pair(tag, *row);
}

result<void> change::open_slot(const slot_opening& opening, std::int64_t now) {
    const auto tag = rows_.tag(table::slot, opening.slot);
    PP_LET(auto known, find_slot(tag));
    slot_row row = known.value_or(slot_row{});
    if (known && row.key != opening.key) return errc::bad_proof;
    if (!known) {
        PP_LET(totals* all, sums());
        row.owner = rows_.tag(table::owner, opening.owner);
        PP_LET(const auto raw, rows_.get(txn_, table::owner, row.owner));
        const std::uint32_t owned = raw && raw->size() == 4 ? static_cast<std::uint32_t>(key_u32(*raw, 0)) : 0;
        if (all->slots >= limits_.slots_max || owned >= limits_.slots_per_owner_max || !has_room(0))
            return errc::relay_full;
        if (opening.invite) {
            const auto invite = rows_.tag(table::invite, *opening.invite);
            PP_LET(auto found, get<invite_row>(table::invite, invite));
            if (!found || found->uses == 0 || seconds_until(found->ends, now) == 0) return errc::no_invite;
            if (--found->uses == 0) {
                PP_TRY(erase(table::due, due_key(found->ends, due_kind::invite, invite)));
                PP_TRY(erase(table::invite, invite));
            } else {
                PP_TRY(put(table::invite, invite, *found));
            }
        }
        row.number = all->next_number++;
        ++all->slots;
        row.key = opening.key;
        row.ends = hour_of(now + slot_idle_s_max);
        changed_ = true;
        PP_TRY(rows_.put(txn_, table::owner, row.owner, row_name().u32(owned + 1).view()));
        PP_TRY(rows_.put(txn_, table::number, key_of(row.number), tag));
        PP_TRY(put_empty(table::due, due_key(row.ends, due_kind::slot, key_of(row.number))));
    }
    row.tokens = opening.tokens;
    row.previous_tokens = opening.previous_tokens;
    row.stranger_bits = opening.stranger_bits;
    return save(tag, row);
}

result<void> change::touch_slot(const id16& slot, std::int64_t now) {
    PP_LET(auto found, must_find_slot(slot));
    auto& row = found.second;
    const auto ends = hour_of(now + slot_idle_s_max);
    if (ends < row.ends + touch_step_hours) return {};   // never back: it may be the clock that is
    PP_TRY(erase(table::due, due_key(row.ends, due_kind::slot, key_of(row.number))));
    row.ends = ends;
    PP_TRY(put_empty(table::due, due_key(row.ends, due_kind::slot, key_of(row.number))));
    return save(found.first, row);
}

result<void> change::close_slot(const id16& slot) {
    const auto tag = rows_.tag(table::slot, slot);
    PP_LET(auto row, find_slot(tag));
    if (!row) return {};
    return drop_slot(tag, *row);
}

result<std::vector<bytes>> change::keys_of(table t, bytes_view prefix) const {
    std::vector<bytes> out;
    PP_TRY(rows_.each_key(txn_, t, prefix, prefix, [&](bytes_view key) -> result<bool> {
        out.push_back(to_bytes(key));
        return true;
    }));
    return out;
}

result<void> change::drop_slot(const tag16& tag, slot_row row) {
    const auto prefix = key_of(row.number);
    PP_LET(const auto items, keys_of(table::item, prefix));
    for (const auto& key : items) PP_TRY(drop_item(row, key_u64(key, 8)));
    PP_LET(const auto seeds, keys_of(table::seed_of, prefix));
    for (const auto& key : seeds) {
        tag16 seed;
        std::copy_n(key.begin() + 8, seed.size(), seed.begin());
        PP_LET(auto found, get<seed_row>(table::seed, seed));
        if (!found) return storage::errc::damaged;
        PP_TRY(drop_seed_bytes(row, seed, *found));
        PP_TRY(drop_seed_row(seed, *found));
    }
    PP_LET(const auto spent, keys_of(table::spent, prefix));
    for (const auto& key : spent) {
        PP_LET(auto found, get<spent_row>(table::spent, key));
        if (found) PP_TRY(erase(table::due, due_key(found->ends, due_kind::spent, key)));
        PP_TRY(erase(table::spent, key));
    }
    PP_LET(const auto raw, rows_.get(txn_, table::owner, row.owner));
    const std::uint32_t owned = raw && raw->size() == 4 ? key_u32(*raw, 0) : 0;
    if (owned > 1) PP_TRY(rows_.put(txn_, table::owner, row.owner, row_name().u32(owned - 1).view()));
    else PP_TRY(erase(table::owner, row.owner));
    PP_TRY(erase(table::due, due_key(row.ends, due_kind::slot, prefix)));
    PP_TRY(erase(table::number, prefix));
    PP_TRY(erase(table::slot, tag));
    PP_LET(totals* all, sums());
    --all->slots;
    return {};
}

// ---------------------------------------------------------------- tokens
result<change::purchase> change::look_at(const slot_row& slot, const payer& by, table what,
                                         const tag16& content) const {
    purchase out;
    if (by.is_stranger()) return out;
    PP_LET(auto known, get<spent_row>(table::spent, key_of(slot.number, rows_.tag(table::spent, by.serial))));
    if (!known) {
        if (slot.spent >= limits_.spent_max) return errc::slot_full;
        out.fresh = true;
        out.row.ends = hour_of(by.good_until);
    } else {
        out.row = *known;
    }
    auto& use = what == table::item ? out.row.item : out.row.seed;
    out.again = use == content;
    if (!out.again && use != tag16{}) return errc::token_spent;
    use = content;
    return out;
}

result<void> change::record(slot_row& slot, const payer& by, const purchase& bought) {
    if (by.is_stranger() || bought.again) return {};
    const auto key = key_of(slot.number, rows_.tag(table::spent, by.serial));
    PP_TRY(put(table::spent, key, bought.row));
    if (!bought.fresh) return {};
    ++slot.spent;
    return put_empty(table::due, due_key(bought.row.ends, due_kind::spent, key));
}

// ---------------------------------------------------------------- items
result<deposited> change::deposit(const id16& slot, const payer& by, bytes_view item, std::int64_t now) {
    if (item.empty() || item.size() > item_bytes_max) return errc::too_large;
    PP_LET(auto found, must_find_slot(slot));
    auto& row = found.second;
    const auto hash = rows_.tag(table::item_hash, crypto::sha256(item).view());
    PP_LET(const auto bought, look_at(row, by, table::item, hash));
    PP_LET(const auto same, rows_.get(txn_, table::item_hash, key_of(row.number, hash)));
    if (same) {
        PP_LET(const auto there, get<item_row>(table::item, key_of(row.number, key_u64(*same, 0))));
        if (!there) return storage::errc::damaged;
        return deposited{seconds_until(there->ends, now), false};
    }
    if (bought.again) return deposited{limits_.item_ttl_s, false};   // the owner has had it and deleted it
    PP_LET(totals* all, sums());
    if (row.items >= limits_.items_max) return errc::slot_full;
    if (by.is_stranger() && row.stranger_items >= limits_.items_max / stranger_share) return errc::slot_full;
    if (!has_room(item_bytes_max)) return errc::relay_full;

    item_row fresh{hour_of(now + limits_.item_ttl_s), by.serial, to_bytes(item)};
    const auto number = ++row.last;
    const auto key = key_of(row.number, number);
    PP_TRY(put(table::item, key, fresh));
    PP_TRY(rows_.put(txn_, table::item_hash, key_of(row.number, hash), row_name().u64(number).view()));
    PP_TRY(put_empty(table::due, due_key(fresh.ends, due_kind::item, key)));
    PP_TRY(record(row, by, bought));
    ++row.items;
    if (by.is_stranger()) ++row.stranger_items;
    ++all->items;
    PP_TRY(save(found.first, row));
    return deposited{seconds_until(fresh.ends, now), true};
}

result<void> change::drop_item(slot_row& slot, std::uint64_t number) {
    const auto key = key_of(slot.number, number);
    PP_LET(auto row, get<item_row>(table::item, key));
    if (!row) return {};
    PP_TRY(erase(table::item, key));
    PP_TRY(erase(table::item_hash, key_of(slot.number, rows_.tag(table::item_hash, crypto::sha256(row->item).view()))));
    PP_TRY(erase(table::due, due_key(row->ends, due_kind::item, key)));
    PP_LET(totals* all, sums());
    --all->items;
    --slot.items;
    if (row->serial == id16{}) --slot.stranger_items;
    return {};
}

result<void> change::erase_items(const id16& slot, const std::vector<std::uint64_t>& numbers) {
    PP_LET(auto found, must_find_slot(slot));
    for (const auto n : numbers) PP_TRY(drop_item(found.second, n));
    return changed_ ? save(found.first, found.second) : result<void>();
}

// ---------------------------------------------------------------- invites
result<void> change::add_invite(const id16& invite, std::uint32_t uses, std::int64_t ends_at) {
    const auto tag = rows_.tag(table::invite, invite);
    const invite_row row{uses, hour_of(ends_at)};
    PP_TRY(put(table::invite, tag, row));
    return put_empty(table::due, due_key(row.ends, due_kind::invite, tag));
}

// ---------------------------------------------------------------- what ends by itself
result<std::size_t> change::sweep(std::int64_t now, std::size_t rows_max, bool idle_slots) {
    std::vector<bytes> due;
    PP_TRY(rows_.each_key(txn_, table::due, {}, {}, [&](bytes_view key) -> result<bool> {
        if (seconds_until(key_u32(key, 0), now) > 0 || due.size() == rows_max) return false;
        if (!idle_slots && static_cast<due_kind>(key[4]) == due_kind::slot) return true;
        due.push_back(to_bytes(key));
        return true;
    }));
    for (const auto& key : due) {
        PP_LET(const bool still, rows_.has(txn_, table::due, key));   // not what went with its slot just now
        if (!still) continue;
        PP_TRY(sweep_one(key));
        PP_TRY(erase(table::due, key));
    }
    return due.size();
}

result<void> change::sweep_one(bytes_view key) {
    const auto kind = static_cast<due_kind>(key[4]);
    const auto rest = key.subspan(5);
    switch (kind) {
        case due_kind::item: {
            PP_LET(auto slot, slot_of_number(key_u64(rest, 0)));
            PP_TRY(drop_item(slot.second, key_u64(rest, 8)));
            return save(slot.first, slot.second);
        }
        case due_kind::seed: {
            tag16 seed;
            std::copy_n(rest.begin(), seed.size(), seed.begin());
            PP_LET(auto row, get<seed_row>(table::seed, seed));
            if (!row) return {};
            PP_LET(auto slot, slot_of_number(row->number));
            PP_TRY(drop_seed_bytes(slot.second, seed, *row));
            PP_TRY(drop_seed_row(seed, *row));
            return save(slot.first, slot.second);
        }
        case due_kind::spent: {
            PP_LET(auto slot, slot_of_number(key_u64(rest, 0)));
            PP_TRY(erase(table::spent, rest));
            --slot.second.spent;
            return save(slot.first, slot.second);
        }
        case due_kind::slot: {
            PP_LET(auto slot, slot_of_number(key_u64(rest, 0)));
            return drop_slot(slot.first, slot.second);
        }
        case due_kind::invite: return erase(table::invite, rest);
    }
    return storage::errc::damaged;
}

}  // namespace pp::storage::relay

// Seeds in the index: what is promised, how much of it is here, when it ends. Their bytes are in seed_files.
#include "storage/attempt.hpp"
#include "storage/relay/change.hpp"

#include <algorithm>

namespace pp::storage::relay {

namespace {
seed_state state_of(const seed_row& row, std::int64_t now) {
    return {row.phase, row.size_bytes, row.synced_bytes, seconds_until(row.ends, now)};
}
}  // namespace

result<seed_state> change::begin_seed(const seed_beginning& seed, std::int64_t now) {
    PP_LET(auto found, must_find_slot(seed.slot));
    auto& slot = found.second;
    const auto tag = rows_.tag(table::seed, seed.where);
    PP_LET(auto known, get<seed_row>(table::seed, tag));
    if (known && known->number != slot.number) return errc::bad_proof;
    if (known && known->phase == seed_phase::deleted) return state_of(*known, now);
    PP_LET(const auto bought, look_at(slot, seed.by, table::seed, tag));
    const auto ends = hour_of(now + limits_.seed_ttl_s);
    if (known) {
        if (bought.again || ends <= known->ends) return state_of(*known, now);   // one token buys one time to live
        PP_TRY(erase(table::due, due_key(known->ends, due_kind::seed, tag)));
        known->ends = ends;
        PP_TRY(put(table::seed, tag, *known));
        PP_TRY(put_empty(table::due, due_key(ends, due_kind::seed, tag)));
        PP_TRY(record(slot, seed.by, bought));
        PP_TRY(save(found.first, slot));
        return state_of(*known, now);
    }
    if (seed.size_bytes == 0 || seed.size_bytes > limits_.seed_bytes_max) return errc::too_large;
    if (seed.by.is_stranger() && seed.size_bytes > stranger_seed_bytes_max) return errc::too_large;
    if (seed.size_bytes > limits_.seed_total_max - std::min(slot.seed_bytes, limits_.seed_total_max))
        return errc::slot_full;
    const auto strangers_may = limits_.seed_total_max / stranger_share;
    if (seed.by.is_stranger() && seed.size_bytes > strangers_may - std::min(slot.stranger_seed_bytes, strangers_may))
        return errc::slot_full;
    PP_LET(totals* all, sums());
    if (!has_room(seed.size_bytes)) return errc::relay_full;

    seed_row row;
    row.number = slot.number;
    row.stranger = seed.by.is_stranger();
    row.size_bytes = seed.size_bytes;
    row.deletion = seed.deletion;
    row.ends = ends;
    PP_TRY(put(table::seed, tag, row));
    PP_TRY(put_empty(table::seed_of, key_of(slot.number, tag)));
    PP_TRY(put_empty(table::due, due_key(ends, due_kind::seed, tag)));
    PP_TRY(record(slot, seed.by, bought));
    slot.seed_bytes += row.size_bytes;
    if (row.stranger) slot.stranger_seed_bytes += row.size_bytes;
    ++all->seeds;
    all->seed_bytes += row.size_bytes;
    PP_TRY(save(found.first, slot));
    return state_of(row, now);
}

// Of a deleted seed only its phase is left: no bytes to give back.
result<void> change::drop_seed_bytes(slot_row& slot, const tag16& seed, const seed_row& row) {
    if (row.phase == seed_phase::deleted) return {};
    slot.seed_bytes -= row.size_bytes;
    if (row.stranger) slot.stranger_seed_bytes -= row.size_bytes;
    PP_LET(totals* all, sums());
    --all->seeds;
    all->seed_bytes -= row.size_bytes;
    gone_.push_back(seed);
    return {};
}

result<void> change::drop_seed_row(const tag16& seed, const seed_row& row) {
    PP_TRY(erase(table::due, due_key(row.ends, due_kind::seed, seed)));
    PP_TRY(erase(table::seed_of, key_of(row.number, seed)));
    return erase(table::seed, seed);
}

result<void> change::delete_seed(const bytes32& where, const bytes32& deletion) {
    const auto tag = rows_.tag(table::seed, where);
    PP_LET(auto row, get<seed_row>(table::seed, tag));
    if (!row) return errc::not_found;
    if (!crypto::equal_constant_time(row->deletion, deletion)) return errc::bad_proof;
    if (row->phase == seed_phase::deleted) return {};
    PP_LET(auto slot, slot_of_number(row->number));
    PP_TRY(drop_seed_bytes(slot.second, tag, *row));
    row->phase = seed_phase::deleted;
    row->synced_bytes = 0;
    PP_TRY(put(table::seed, tag, *row));
    return save(slot.first, slot.second);
}

result<bool> change::seed_synced(const tag16& seed, std::uint64_t bytes) {
    PP_LET(auto row, get<seed_row>(table::seed, seed));
    if (!row || row->phase == seed_phase::deleted) return false;
    row->synced_bytes = std::min(bytes, row->size_bytes);
    row->phase = row->synced_bytes == row->size_bytes ? seed_phase::whole : seed_phase::partial;
    if (const auto written = put(table::seed, seed, *row); !written) return failure{written.error()};
    return true;
}

}  // namespace pp::storage::relay

#include "storage/relay/relay_store.hpp"

#include "storage/attempt.hpp"
#include "storage/plural.hpp"

#include <algorithm>

namespace pp::storage::relay {

namespace {

bool is_refusal(const error_code& e) { return e.category() == make_error_code(errc::no_slot).category(); }

template <class Row>
result<std::optional<Row>> row_of(const index& rows, MDB_txn* txn, table t, bytes_view key) {
    PP_LET(const auto raw, rows.get(txn, t, key));
    if (!raw) return std::optional<Row>();
    PP_LET(auto row, decode_row<Row>(*raw));
    return std::optional<Row>(std::move(row));
}

}  // namespace

// ---------------------------------------------------------------- opening
result<std::unique_ptr<relay_store>> relay_store::open(const std::filesystem::path& folder, const crypto::row_key& key,
                                                       store_limits limits) {
    PP_TRY(durable::make_directory(folder));
    PP_TRY(durable::make_directory(folder / "seeds"));
    PP_TRY(durable::sync_directory(folder));
    std::unique_ptr<relay_store> store(new relay_store(folder, limits));
    PP_LET(store->index_, open_index(folder, key, limits.index_checked_bytes, store->marks_, store->recovered_));
    PP_TRY(store->recover());
    return store;
}

relay_store::~relay_store() {
    if (!index_) return;
    index_.reset();
    marks_.closed(folder_ / "index");
}

result<store_check> relay_store::check() const {
    store_check out;
    PP_LET(const auto damaged, count_damaged_rows(*index_));
    if (damaged > 0) out.lost.push_back("what " + plural(damaged, "row") + " of the index said");
    PP_LET(out.has, status());
    std::uint64_t gone = 0;
    PP_TRY(index_->read([&](MDB_txn* txn) -> result<void> {
        return index_->each_key(txn, table::seed, {}, {}, [&](bytes_view key) -> result<bool> {
            const auto row = row_of<seed_row>(*index_, txn, table::seed, key);
            if (!row || !*row || (*row)->phase != seed_phase::whole) return true;
            tag16 seed{};
            std::copy_n(key.begin(), std::min(key.size(), seed.size()), seed.begin());
            std::error_code none;
            const auto size = std::filesystem::file_size(files_.path_of(seed), none);
            if (none || size < (*row)->size_bytes) ++gone;
            return true;
        });
    }));
    if (gone > 0) out.lost.push_back(plural(gone, "mail") + " whose file is missing or too short");
    for (const auto& note : recovered_.notes()) out.warnings.push_back(note);
    PP_LET(const auto aside, indexes_put_aside(folder_));
    for (const auto& name : aside)
        if (name != recovered_.kept_as)
            out.warnings.push_back("an index that was damaged earlier is kept as relay/" + name +
                                   "; when nobody needs it any more, delete it");
    return out;
}

// Files without a row go. A whole seed whose file is shorter than it should be is one that is partly here: its sender
// may go on; what would be served of it otherwise is nothing anybody could use.
result<void> relay_store::recover() {
    std::map<tag16, seed_row> rows;
    PP_TRY(index_->read([&](MDB_txn* txn) -> result<void> {
        return index_->each_key(txn, table::seed, {}, {}, [&](bytes_view key) -> result<bool> {
            tag16 seed{};
            std::copy_n(key.begin(), std::min(key.size(), seed.size()), seed.begin());
            auto row = row_of<seed_row>(*index_, txn, table::seed, key);
            if (!row) return failure{row.error()};
            if (*row && (*row)->phase != seed_phase::deleted) rows[seed] = **row;
            return true;
        });
    }));
    PP_LET(const auto sizes, files_.tidy([&](const tag16& seed) { return rows.contains(seed); }));
    std::vector<job> repairs;
    for (const auto& [seed, row] : rows) {
        const auto it = sizes.find(seed);
        const auto there = it == sizes.end() ? 0 : it->second;
        if (there >= row.synced_bytes) continue;
        repairs.push_back([seed = seed, there](change& c) -> result<void> {
            PP_TRY(c.seed_synced(seed, there));
            return {};
        });
    }
    for (const auto& r : write(repairs)) PP_TRY(r);
    return {};
}

// ---------------------------------------------------------------- writing
std::vector<result<void>> relay_store::write(std::span<const job> jobs) {
    std::vector<result<void>> results(jobs.size(), result<void>());
    if (jobs.empty()) return results;
    const auto room = durable::free_bytes(folder_);
    std::vector<bool> broken(jobs.size(), false);     // met a damaged row: left out, the others run again
    std::vector<tag16> gone;
    bool again = true;
    result<void> committed;
    while (again) {
        again = false;
        committed = index_->write([&](MDB_txn* txn) -> result<bool> {
            change c(*index_, txn, limits_, room ? *room : 0);
            for (std::size_t i = 0; i < jobs.size(); ++i) {
                if (broken[i]) continue;
                results[i] = jobs[i](c);
                if (results[i] || is_refusal(results[i].error())) continue;
                if (results[i].error() == storage::errc::damaged) {
                    broken[i] = again = true;
                    return false;
                }
                return failure{results[i].error()};
            }
            if (const auto done = c.finish(); !done) return failure{done.error()};
            gone = c.gone();
            return c.changed();
        });
    }
    if (!committed) {
        for (std::size_t i = 0; i < results.size(); ++i)
            if (results[i]) results[i] = committed.error();
        return results;
    }
    for (const auto& seed : gone) files_.remove(seed, [&] { return seed_row_of(seed); });
    return results;
}

result<void> relay_store::write_one(const job& j) { return write({&j, 1}).front(); }

result<std::size_t> relay_store::sweep(std::int64_t now, bool idle_slots) {
    std::size_t swept = 0;
    PP_TRY(write_one([&](change& c) -> result<void> {
        PP_LET(swept, c.sweep(now, sweep_rows_max, idle_slots));
        return {};
    }));
    return swept;
}

// ---------------------------------------------------------------- reading
result<std::optional<slot_facts>> relay_store::slot(const id16& slot) const {
    std::optional<slot_facts> out;
    PP_TRY(index_->read([&](MDB_txn* txn) -> result<void> {
        PP_LET(const auto row, row_of<slot_row>(*index_, txn, table::slot, index_->tag(table::slot, slot)));
        if (row)
            out = slot_facts{row->key,           row->tokens, row->previous_tokens,
                             row->stranger_bits, row->items,  row->seed_bytes};
        return {};
    }));
    return out;
}

result<item_list> relay_store::items(const id16& slot, std::uint64_t after, std::size_t count) const {
    item_list out;
    count = std::min(count, list_items_max);
    PP_TRY(index_->read([&](MDB_txn* txn) -> result<void> {
        PP_LET(const auto row, row_of<slot_row>(*index_, txn, table::slot, index_->tag(table::slot, slot)));
        if (!row) return errc::no_slot;
        if (after == ~std::uint64_t{0}) return {};
        const auto list = [&](bytes_view key) -> result<bool> {
            if (out.items.size() == count) {
                out.more = true;
                return false;
            }
            auto item = row_of<item_row>(*index_, txn, table::item, key);
            if (!item) return failure{item.error()};
            if (*item) out.items.push_back({key_u64(key, 8), (*item)->serial, std::move((*item)->item)});
            return true;
        };
        return index_->each_key(txn, table::item, key_of(row->number), key_of(row->number, after + 1), list);
    }));
    return out;
}

result<store_status> relay_store::status() const {
    store_status out;
    PP_TRY(index_->read([&](MDB_txn* txn) -> result<void> {
        PP_LET(const auto row, row_of<totals>(*index_, txn, table::meta, pp::as_bytes(totals_key)));
        if (row) out = {row->slots, row->items, row->seeds, row->items * item_bytes_max + row->seed_bytes};
        return {};
    }));
    return out;
}

// ---------------------------------------------------------------- seeds
result<std::optional<seed_row>> relay_store::seed_row_of(const tag16& seed) const {
    std::optional<seed_row> out;
    PP_TRY(index_->read([&](MDB_txn* txn) -> result<void> {
        PP_LET(out, row_of<seed_row>(*index_, txn, table::seed, seed));
        return {};
    }));
    return out;
}

result<seed_state> relay_store::seed(const bytes32& where, std::int64_t now) const {
    const auto tag = index_->tag(table::seed, where);
    PP_LET(const auto row, seed_row_of(tag));
    if (!row) return errc::not_found;
    seed_state out{row->phase, row->size_bytes, row->synced_bytes, seconds_until(row->ends, now)};
    if (row->phase != seed_phase::partial) return out;
    if (const auto one = files_.find(tag)) {
        const std::lock_guard lock(one->mutex);
        // Not yet whole: that is said when the index says so.
        if (!one->over && one->have_bytes < one->size_bytes) out.have_bytes = one->have_bytes;
    }
    return out;
}

result<void> relay_store::checkpoint(const tag16& seed, seed_files::upload& one) {
    PP_TRY(files_.sync(seed, one));
    bool there = false;
    PP_TRY(write_one([&](change& c) -> result<void> {
        PP_LET(there, c.seed_synced(seed, one.synced_bytes));
        return {};
    }));
    if (!there) {   // deleted or ended meanwhile
        one.over = true;
        files_.forget(seed);
        return errc::not_found;
    }
    return {};
}

result<void> relay_store::make_room_for_uploads() {
    while (const auto oldest = files_.crowded()) {
        const auto one = files_.find(*oldest);
        if (!one) continue;
        const std::lock_guard lock(one->mutex);
        if (!one->over && one->have_bytes > one->synced_bytes) {
            if (const auto kept = checkpoint(*oldest, *one); !kept && !is_refusal(kept.error())) return kept;
        }
        one->over = true;
        files_.forget(*oldest);
    }
    return {};
}

result<seed_state> relay_store::put_seed(const bytes32& where, std::uint64_t offset, bytes_view data,
                                         std::int64_t now) {
    const auto tag = index_->tag(table::seed, where);
    PP_LET(const auto row, seed_row_of(tag));
    if (!row) return errc::not_found;
    seed_state state{row->phase, row->size_bytes, row->synced_bytes, seconds_until(row->ends, now)};
    if (row->phase != seed_phase::partial) return state;   // a piece that came twice
    const auto room = durable::free_bytes(folder_);
    if (!room || *room < limits_.reserve_bytes) return errc::relay_full;
    PP_LET(const auto one, files_.open(tag, [&] { return seed_row_of(tag); }));
    {
        const std::lock_guard lock(one->mutex);
        if (one->over || offset != one->have_bytes) return errc::wrong_offset;
        if (data.size() > one->size_bytes - one->have_bytes) return errc::too_large;
        if (const auto written = one->file.write_at(offset, data); !written) {
            one->over = true;       // how much of it is there nobody knows: the next piece begins at what was synced
            files_.forget(tag);
            return written.error();
        }
        one->have_bytes += data.size();
        const bool last = one->have_bytes == one->size_bytes;
        if (last || one->have_bytes - one->synced_bytes >= sync_step_bytes) {
            if (const auto kept = checkpoint(tag, *one); !kept) {
                one->over = true;
                files_.forget(tag);
                return kept.error();
            }
        } else {
            one->file.start_writeback(offset, data.size());
        }
        state.have_bytes = one->have_bytes;
        if (last) {
            state.phase = seed_phase::whole;
            one->over = true;
            files_.forget(tag);
        }
    }
    PP_TRY(make_room_for_uploads());
    return state;
}

result<seed_piece> relay_store::read_seed(const bytes32& where, std::uint64_t offset, std::size_t length_bytes) const {
    const auto tag = index_->tag(table::seed, where);
    PP_LET(const auto row, seed_row_of(tag));
    if (!row || row->phase != seed_phase::whole || offset >= row->size_bytes) return errc::not_found;
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(length_bytes, row->size_bytes - offset));
    auto data = files_.read(tag, offset, n);
    if (!data && data.error() == storage::errc::not_found) return errc::not_found;   // deleted meanwhile
    if (!data) return data.error();
    return seed_piece{row->size_bytes, std::move(*data)};
}

}  // namespace pp::storage::relay

// Slots, items, spent tokens, seeds and invites are looked for; all other tables follow from them. Where the list of
// free pages is damaged too, earlier versions of rows turn up beside the newest: of each key the one that refuses more
// is kept, and an item that was erased is shown once more, which its owner is used to.
#include "storage/relay/salvage.hpp"

#include "storage/attempt.hpp"
#include "storage/codec.hpp"
#include "storage/durable.hpp"
#include "storage/loose_rows.hpp"
#include "storage/relay/change.hpp"

#include <map>
#include <set>

namespace pp::storage::relay {

namespace {

constexpr std::size_t items_of_one_commit = 1000;
constexpr std::uint64_t identity_bytes_max = 4096;

bool wins(const slot_row& a, const slot_row& b) {
    return std::tuple(a.number, a.last, a.ends) > std::tuple(b.number, b.last, b.ends);
}
bool wins(const seed_row& a, const seed_row& b) {
    return std::tuple(a.phase, a.synced_bytes, a.ends) > std::tuple(b.phase, b.synced_bytes, b.ends);
}
bool wins(const spent_row& a, const spent_row& b) {
    const auto used = [](const spent_row& r) { return (r.item != tag16{}) + (r.seed != tag16{}); };
    return used(a) > used(b);
}
bool wins(const invite_row& a, const invite_row& b) { return a.uses < b.uses; }

tag16 tag_in(bytes_view key, std::size_t at = 0) {
    tag16 out{};
    std::copy_n(key.begin() + static_cast<std::ptrdiff_t>(at), out.size(), out.begin());
    return out;
}

class salvager {
public:
    salvager(const std::filesystem::path& damaged, const index_keys& keys, index& into, recovery_report& report)
        : damaged_(damaged), keys_(keys), into_(into), report_(report) {}

    result<void> run() {
        const auto learn_store = [&](bytes_view value) {
            if (const auto store = store_of_identity(value, keys_.check)) stores_.insert(*store);
        };
        bool readable = each_loose_row(damaged_, [&](bytes_view key, bytes_view value) {
            if (as_text(key) == identity_key) learn_store(value);
        });
        if (!readable) return storage::errc::io_error;
        const auto kept_identity = durable::read_file(damaged_.parent_path() / "index.id", identity_bytes_max);
        if (kept_identity) learn_store(*kept_identity);
        else if (kept_identity.error() == storage::errc::no_access) return kept_identity.error();
        readable = each_row_in_use(damaged_, [&](bytes_view key, bytes_view value) { learn(key, value); });
        if (!readable) return storage::errc::io_error;
        report_.nothing_opens = slots_.empty() && seeds_.empty() && invites_.empty() && !report_.slots_before;
        for (const auto& [tag, row] : slots_) {
            numbers_[row.number] = tag;
            last_number_ = std::max(last_number_, row.number);
        }
        forget_what_has_no_slot();
        result<void> kept;
        each_row_in_use(damaged_, [&](bytes_view key, bytes_view value) {
            if (kept) kept = learn_item(key, value);
        });
        PP_TRY(kept);
        PP_TRY(keep_items());
        return keep_the_rest();
    }

private:
    template <class Row>
    std::optional<Row> opened(table t, bytes_view key, bytes_view value) const {
        for (const auto& store : stores_)
            if (const auto plain = crypto::open_row(keys_.of(t), index_keys::bound(t, key, store), value))
                if (auto row = decode_row<Row>(*plain)) return std::move(*row);
        return std::nullopt;
    }
    template <class Row, class Key>
    bool learn(std::map<Key, Row>& rows, const Key& name, table t, bytes_view key, bytes_view value) {
        const auto row = opened<Row>(t, key, value);
        if (!row) return false;
        const auto known = rows.find(name);
        if (known == rows.end()) rows.emplace(name, *row);
        else if (wins(*row, known->second)) known->second = *row;
        return true;
    }

    void learn(bytes_view key, bytes_view value) {
        if (as_text(key) == totals_key) {
            if (const auto all = opened<totals>(table::meta, key, value)) {
                last_number_ = std::max(last_number_, all->next_number - 1);
                report_.slots_before = all->slots;
                report_.items_before = all->items;
                report_.seeds_before = all->seeds;
            }
        } else if (key.size() == sizeof(tag16)) {
            const auto name = tag_in(key);
            learn(slots_, name, table::slot, key, value) || learn(seeds_, name, table::seed, key, value) ||
                learn(invites_, name, table::invite, key, value);
        } else if (key.size() == 8 + sizeof(tag16)) {
            learn(spent_, std::pair(key_u64(key, 0), tag_in(key, 8)), table::spent, key, value);
        }
    }

    void forget_what_has_no_slot() {
        std::erase_if(seeds_, [&](const auto& s) { return !numbers_.contains(s.second.number); });
        std::erase_if(spent_, [&](const auto& s) { return !numbers_.contains(s.first.first); });
    }

    result<void> learn_item(bytes_view key, bytes_view value) {
        if (key.size() != 2 * sizeof(std::uint64_t) || !numbers_.contains(key_u64(key, 0))) return {};
        auto row = opened<item_row>(table::item, key, value);
        if (!row) return {};
        items_.emplace_back(to_bytes(key), std::move(*row));
        return items_.size() < items_of_one_commit ? result<void>() : keep_items();
    }

    result<void> keep_items() {
        std::vector<bool> is_new;
        PP_TRY(into_.write([&](MDB_txn* txn) -> result<bool> {
            is_new.assign(items_.size(), false);
            for (std::size_t i = 0; i < items_.size(); ++i) {
                const auto& [key, row] = items_[i];
                const auto hash = into_.tag(table::item_hash, crypto::sha256(row.item).view());
                const auto of_hash = key_of(key_u64(key, 0), hash);
                PP_LET(const bool there, into_.has(txn, table::item, key));
                PP_LET(const bool same, into_.has(txn, table::item_hash, of_hash));
                if (there || same) continue;
                PP_TRY(into_.put(txn, table::item, key, encode(row)));
                PP_TRY(into_.put(txn, table::item_hash, of_hash, row_name().u64(key_u64(key, 8)).view()));
                PP_TRY(into_.put_empty(txn, table::due, due_key(row.ends, due_kind::item, key)));
                is_new[i] = true;
            }
            return true;
        }));
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (!is_new[i]) continue;
            auto& c = counts_[key_u64(items_[i].first, 0)];
            ++c.items;
            c.stranger_items += items_[i].second.serial == id16{};
            c.last = std::max(c.last, key_u64(items_[i].first, 8));
            ++report_.items;
        }
        items_.clear();
        return {};
    }

    result<void> keep_the_rest() {
        return into_.write([&](MDB_txn* txn) -> result<bool> {
            auto counts = counts_;
            totals all;
            all.next_number = last_number_ + 1;
            all.items = report_.items;
            for (const auto& [name, row] : spent_) {
                const auto key = key_of(name.first, name.second);
                PP_TRY(into_.put(txn, table::spent, key, encode(row)));
                PP_TRY(into_.put_empty(txn, table::due, due_key(row.ends, due_kind::spent, key)));
                ++counts[name.first].spent;
            }
            for (const auto& [tag, row] : seeds_) {
                PP_TRY(into_.put(txn, table::seed, tag, encode(row)));
                PP_TRY(into_.put_empty(txn, table::seed_of, key_of(row.number, tag)));
                PP_TRY(into_.put_empty(txn, table::due, due_key(row.ends, due_kind::seed, tag)));
                if (row.phase == seed_phase::deleted) continue;
                auto& c = counts[row.number];
                c.seed_bytes += row.size_bytes;
                if (row.stranger) c.stranger_seed_bytes += row.size_bytes;
                ++all.seeds;
                all.seed_bytes += row.size_bytes;
            }
            for (const auto& [tag, row] : invites_) {
                PP_TRY(into_.put(txn, table::invite, tag, encode(row)));
                PP_TRY(into_.put_empty(txn, table::due, due_key(row.ends, due_kind::invite, tag)));
            }
            std::map<tag16, std::uint32_t> owners;
            for (const auto& [tag, found] : slots_) {
                auto row = found;
                const auto& c = counts[row.number];
                row.items = c.items;
                row.stranger_items = c.stranger_items;
                row.spent = c.spent;
                row.seed_bytes = c.seed_bytes;
                row.stranger_seed_bytes = c.stranger_seed_bytes;
                row.last = std::max(row.last, c.last);
                PP_TRY(into_.put(txn, table::slot, tag, encode(row)));
                PP_TRY(into_.put(txn, table::number, key_of(row.number), tag));
                PP_TRY(into_.put_empty(txn, table::due, due_key(row.ends, due_kind::slot, key_of(row.number))));
                ++owners[row.owner];
                ++all.slots;
            }
            for (const auto& [owner, n] : owners)
                PP_TRY(into_.put(txn, table::owner, owner, row_name().u32(n).view()));
            PP_TRY(into_.put(txn, table::meta, pp::as_bytes(totals_key), encode(all)));
            report_.slots = all.slots;
            report_.seeds = all.seeds;
            return true;
        });
    }

    struct slot_counts {
        std::uint32_t items = 0, stranger_items = 0, spent = 0;
        std::uint64_t seed_bytes = 0, stranger_seed_bytes = 0, last = 0;
    };
    const std::filesystem::path& damaged_;
    const index_keys& keys_;
    index& into_;
    recovery_report& report_;
    std::set<tag16> stores_;                     // ids that identity rows name: one, unless somebody put files together
    std::map<tag16, slot_row> slots_;
    std::map<tag16, seed_row> seeds_;
    std::map<tag16, invite_row> invites_;
    std::map<std::pair<std::uint64_t, tag16>, spent_row> spent_;
    std::map<std::uint64_t, tag16> numbers_;
    std::map<std::uint64_t, slot_counts> counts_;
    std::vector<std::pair<bytes, item_row>> items_;   // of the next commit
    std::uint64_t last_number_ = 0;
};

}  // namespace

result<void> salvage_index(const std::filesystem::path& damaged, const index_keys& keys, index& into,
                           recovery_report& report) {
    salvager s(damaged, keys, into, report);
    return s.run();
}

}  // namespace pp::storage::relay

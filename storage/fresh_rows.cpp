#include "storage/fresh_rows.hpp"

#include <mutex>

namespace pp::storage {

namespace {
// A node of the map with its first version; measured with glibc.
constexpr std::size_t row_overhead_bytes = 200;
}  // namespace

fresh_rows::fresh_rows() {
    for (std::size_t t = 0; t < table_count; ++t) last_changed_[t] = tables_[t].end();
}

const fresh_rows::value* fresh_rows::newest(const versions& all, version seen) {
    for (auto v = all.rbegin(); v != all.rend(); ++v)
        if (v->since <= seen) return &v->is;
    return nullptr;
}

fresh_rows::row_map::iterator fresh_rows::place_of(row_map& rows, row_map::iterator last, bytes_view key) {
    if (rows.empty() || key_order(rows.rbegin()->first.view(), key) < 0) return rows.end();
    if (last != rows.end() && key_order(last->first.view(), key) <= 0) {
        if (key_order(last->first.view(), key) == 0) return last;
        const auto next = std::next(last);   // is there: the last row of all is not below the key
        if (key_order(key, next->first.view()) <= 0) return next;
    }
    return rows.lower_bound(key);
}

std::optional<fresh_rows::kind> fresh_rows::newest_kind(table t, bytes_view key) {
    auto& rows = tables_[static_cast<std::size_t>(t)];
    const auto at = place_of(rows, last_changed_[static_cast<std::size_t>(t)], key);
    if (at == rows.end() || key_order(at->first.view(), key) != 0) return std::nullopt;
    return at->second.back().is.what;
}

void fresh_rows::put(version v, table t, bytes_view key, kind what, bytes_view plain) {
    const std::unique_lock alone(mutex_);
    auto& rows = tables_[static_cast<std::size_t>(t)];
    auto& last = last_changed_[static_cast<std::size_t>(t)];
    auto at = place_of(rows, last, key);
    const bool at_end = at == rows.end();
    if (at_end || key_order(at->first.view(), key) != 0) {
        at = rows.emplace_hint(at, row_name().raw(key), versions());
        counts_[static_cast<std::size_t>(t)].fetch_add(1, std::memory_order_release);
        memory_bytes_ += row_overhead_bytes;
    }
    if (!at_end) last = at;
    auto& all = at->second;
    if (!all.empty() && all.back().since == v) {   // the job again: nobody has seen what it wrote before
        memory_bytes_ -= all.back().is.plain.size();
        all.back().is = {what, to_bytes(plain)};
    } else {
        all.push_back({v, {what, to_bytes(plain)}});
        unpublished_.emplace_back(static_cast<std::size_t>(t), at);
        memory_bytes_ += sizeof(dated);
    }
    memory_bytes_ += plain.size();
}

void fresh_rows::undo(version from) {
    const std::unique_lock alone(mutex_);
    while (!unpublished_.empty()) {
        const auto [t, at] = unpublished_.back();
        auto& all = at->second;
        if (all.back().since < from) break;   // of an earlier job of the group
        memory_bytes_ -= all.back().is.plain.size() + sizeof(dated);
        all.pop_back();
        unpublished_.pop_back();
        if (!all.empty()) continue;
        if (last_changed_[t] == at) last_changed_[t] = tables_[t].end();
        tables_[t].erase(at);
        counts_[t].fetch_sub(1, std::memory_order_release);
        memory_bytes_ -= row_overhead_bytes;
    }
}

void fresh_rows::publish() {
    unpublished_.clear();
    published_.store(last_, std::memory_order_release);
}

std::optional<fresh_rows::value> fresh_rows::find(version seen, table t, bytes_view key) const {
    if (!has_any(t)) return std::nullopt;
    const std::shared_lock hold(mutex_);
    const auto& rows = tables_[static_cast<std::size_t>(t)];
    const auto at = rows.find(key);
    if (at == rows.end()) return std::nullopt;
    const auto* is = newest(at->second, seen);
    return is ? std::optional(*is) : std::nullopt;
}

std::optional<fresh_rows::found> fresh_rows::next(version seen, table t, bytes_view at, bool behind,
                                                  bool with_plain) const {
    if (!has_any(t)) return std::nullopt;
    const std::shared_lock hold(mutex_);
    const auto& rows = tables_[static_cast<std::size_t>(t)];
    for (auto it = behind ? rows.upper_bound(at) : rows.lower_bound(at); it != rows.end(); ++it)
        if (const auto* is = newest(it->second, seen))
            return found{it->first, with_plain ? *is : value{is->what, {}}};
    return std::nullopt;
}

}  // namespace pp::storage

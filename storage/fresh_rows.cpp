#include "storage/fresh_rows.hpp"

#include <mutex>

namespace pp::storage {

namespace {
// A node of the map with its first version; measured with glibc.
constexpr std::size_t row_overhead_bytes = 200;
}  // namespace

const fresh_rows::value* fresh_rows::newest(const std::vector<dated>& versions, version seen) {
    for (auto v = versions.rbegin(); v != versions.rend(); ++v)
        if (v->since <= seen) return &v->is;
    return nullptr;
}

void fresh_rows::put(version v, table t, bytes_view key, kind what, bytes_view plain) {
    const std::unique_lock alone(mutex_);
    auto& rows = tables_[static_cast<std::size_t>(t)];
    auto at = rows.find(key);
    if (at == rows.end()) {
        at = rows.emplace(row_name().raw(key), std::vector<dated>()).first;
        counts_[static_cast<std::size_t>(t)].fetch_add(1, std::memory_order_release);
        memory_bytes_ += row_overhead_bytes;
    }
    auto& versions = at->second;
    if (!versions.empty() && versions.back().since == v) {   // the job again: nobody has seen what it wrote before
        memory_bytes_ -= versions.back().is.plain.size();
        versions.back().is = {what, to_bytes(plain)};
    } else {
        versions.push_back({v, {what, to_bytes(plain)}});
        unpublished_.emplace_back(static_cast<std::size_t>(t), at);
        memory_bytes_ += sizeof(dated);
    }
    memory_bytes_ += plain.size();
}

void fresh_rows::undo(version from) {
    const std::unique_lock alone(mutex_);
    while (!unpublished_.empty()) {
        const auto [t, at] = unpublished_.back();
        auto& versions = at->second;
        if (versions.back().since < from) break;   // of an earlier job of the group
        memory_bytes_ -= versions.back().is.plain.size() + sizeof(dated);
        versions.pop_back();
        unpublished_.pop_back();
        if (!versions.empty()) continue;
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

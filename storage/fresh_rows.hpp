// Rows that are durable in the log and not yet in the view's file. Groups write them here, in memory; many groups later
// one commit of LMDB takes them all (account_store::settle). So a change costs one sync, that of the log, and not one
// of the view as well, and the pages of the view that it touches are written once for many changes.
//
// What they are worth after a crash: nothing, the log has the operations that made them. Readers see what was published
// when they began, however long they read: each row keeps its versions. The writer's thread changes; any thread reads.
#pragma once

#include "storage/table_name.hpp"

#include <boost/container/small_vector.hpp>

#include <atomic>
#include <map>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace pp::storage {

class fresh_rows {
public:
    using version = std::uint64_t;               // of one job's changes, rising from 1
    enum class kind : std::uint8_t { erased, key_only, row };
    struct value {
        kind what = kind::erased;
        bytes plain;                             // of a row
    };

    fresh_rows();
    // ---- the writer
    version begin() { return ++last_; }
    void put(version v, table t, bytes_view key, kind what, bytes_view plain);
    std::optional<kind> newest_kind(table t, bytes_view key);        // written last; nullopt as with find()
    void undo(version from);                     // forgets what this version and later ones did; not what is published
    void publish();                              // readers that begin from now on see all of it
    std::size_t memory_bytes() const { return memory_bytes_; }       // about, of all versions
    bool empty() const { return published() == 0; }

    // ---- any thread
    version published() const { return published_.load(std::memory_order_acquire); }
    bool has_any(table t) const { return counts_[static_cast<std::size_t>(t)].load(std::memory_order_acquire) != 0; }
    // nullopt: nothing is known here, ask the view's file.
    std::optional<value> find(version seen, table t, bytes_view key) const;
    struct found {
        row_name key;
        value is;
    };
    // The first row at or behind (or only behind) a key, erased ones too.
    std::optional<found> next(version seen, table t, bytes_view at, bool behind, bool with_plain) const;
    // The newest published state of every row.
    template <class F>   // f(table, key, const value&) -> result<void>
    auto each_newest(F&& f) const -> decltype(f(table{}, bytes_view(), std::declval<const value&>())) {
        const auto seen = published();
        for (std::size_t t = 0; t < table_count; ++t)
            for (const auto& [key, of_row] : tables_[t])
                if (const auto* is = newest(of_row, seen))
                    if (auto done = f(static_cast<table>(t), key.view(), *is); !done) return done;
        return {};
    }

private:
    struct by_key {
        using is_transparent = void;
        bool operator()(const row_name& a, const row_name& b) const { return key_order(a.view(), b.view()) < 0; }
        bool operator()(const row_name& a, bytes_view b) const { return key_order(a.view(), b) < 0; }
        bool operator()(bytes_view a, const row_name& b) const { return key_order(a, b.view()) < 0; }
    };
    struct dated {
        version since;
        value is;
    };
    using versions = boost::container::small_vector<dated, 1>;
    using row_map = std::map<row_name, versions, by_key>;
    static const value* newest(const versions& all, version seen);
    // Where the key is, or where it goes: the first row that is not below it. Keys that rise one by one, the usual way
    // of a writer, are found beside the last one or at the end, without a search.
    static row_map::iterator place_of(row_map& rows, row_map::iterator last, bytes_view key);

    mutable std::shared_mutex mutex_;            // of tables_
    std::array<row_map, table_count> tables_;
    // The row that was changed last and not put at the end; end(): none.
    std::array<row_map::iterator, table_count> last_changed_;
    std::array<std::atomic<std::size_t>, table_count> counts_{};
    std::vector<std::pair<std::size_t, row_map::iterator>> unpublished_;   // in the order they were written
    std::atomic<version> published_ = 0;
    version last_ = 0;
    std::size_t memory_bytes_ = 0;
};

}  // namespace pp::storage

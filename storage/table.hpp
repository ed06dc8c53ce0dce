// The view's tables: LMDB with every value sealed (AES-256-GCM, crypto/row_cipher.hpp; bound to table, key and store)
// and every key a number, a random name or a keyed hash. Nothing here knows what a row means; storage/view.hpp does.
#pragma once

#include "storage/view_env.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace pp::storage {

// One sealed value of a view: its plaintext, or an error. For reading what is left of a damaged one.
result<bytes> open_view_row(const view_keys& keys, table t, bytes_view key, bytes_view store_id, bytes_view sealed);

// Rows seen through one transaction: of LMDB alone, or with the fresh rows above it.
class rows {
public:
    rows(const view_env& env, MDB_txn* txn) : env_(&env), txn_(txn) {}
    // `seen`: versions up to this one. A writer's changes are of this version and go to the fresh rows.
    rows(const view_env& env, MDB_txn* txn, std::shared_ptr<fresh_rows> fresh, fresh_rows::version seen, bool writes)
        : env_(&env), txn_(txn), fresh_(std::move(fresh)), seen_(seen), writes_fresh_(writes) {}

    // For who writes many rows in the order of tables and keys: each is looked for beside the last one. Before the end
    // of the transaction this object goes, or has its cursor closed.
    void write_in_order() { in_order_ = std::make_shared<write_cursor>(); }
    void close_cursor() { in_order_.reset(); }

    const view_env& env() const { return *env_; }
    MDB_txn* txn() const { return txn_; }
    const view_keys& keys() const { return env_->keys(); }

    result<std::optional<bytes>> get(table t, bytes_view key) const;
    result<bool> has(table t, bytes_view key) const;
    result<void> put(table t, bytes_view key, bytes_view plain);
    result<void> put_empty(table t, bytes_view key);     // a row that is only a key
    // Values that are sealed with a key of their own, as they are: no version, no padding.
    result<void> put_sealed(table t, bytes_view key, bytes_view sealed);
    result<std::optional<bytes>> get_sealed(table t, bytes_view key, const crypto::row_key& with) const;
    result<bytes> last_key(table t) const;               // empty: none
    result<bool> erase(table t, bytes_view key);         // false: was not there

    // Rows with this prefix from `from` on (which begins with the prefix), in the order of keys, until f says false.
    // `plain` is overwritten by the next row.
    using visitor = std::function<result<bool>(bytes_view key, bytes_view plain)>;
    result<void> each(table t, bytes_view prefix, bytes_view from, const visitor& f) const;
    // The same without opening the rows.
    using key_visitor = std::function<result<bool>(bytes_view key)>;
    result<void> each_key(table t, bytes_view prefix, bytes_view from, const key_visitor& f) const;
    result<void> erase_prefix(table t, bytes_view prefix);
    result<std::uint64_t> count(table t) const;
    // Keys of the table above LMDB, erased ones too: for who walks LMDB by itself.
    std::vector<std::pair<row_name, bool>> fresh_keys(table t) const;   // key, erased

private:
    struct write_cursor {
        MDB_cursor* at = nullptr;
        table in{};
        ~write_cursor();
    };
    result<MDB_cursor*> cursor_in(table t);
    result<void> write(table t, bytes_view key, bytes_view value);   // to LMDB
    result<void> write_here(MDB_cursor* at, table t, bytes_view key, bytes_view value);
    result<bool> has_now(table t, bytes_view key) const;
    result<void> change(table t, bytes_view key, fresh_rows::kind what, bytes_view plain);
    result<bytes_view> opened(table t, bytes_view key, const MDB_val& value, crypto::row_cipher::borrowed& with,
                              bytes& buffer) const;
    template <class F>
    result<void> walk(table t, bytes_view prefix, bytes_view from, bool with_plain, F&& f) const;
    template <class F>
    result<void> walk_both(table t, bytes_view prefix, bytes_view from, bool with_plain, F&& f) const;
    const view_env* env_;
    MDB_txn* txn_;
    std::shared_ptr<fresh_rows> fresh_;   // null: none
    fresh_rows::version seen_ = 0;
    bool writes_fresh_ = false;
    std::shared_ptr<write_cursor> in_order_;   // null: each write looks from the root
};

// What a reader sees: the file as it was committed last and the fresh rows that were published then,
// which fit together.
class view_snapshot {
public:
    // The caller holds env.readers() shared for as long as it lives, or is the writer's thread. errc::io_error: no
    // reader slot is left, or the view is being opened again.
    static result<view_snapshot> take(const view_env& env);
    view_snapshot(view_snapshot&& other) noexcept
        : rows_(std::move(other.rows_)), txn_(std::exchange(other.txn_, nullptr)) {}
    view_snapshot& operator=(view_snapshot&&) = delete;
    ~view_snapshot() {
        if (txn_) mdb_txn_abort(txn_);
    }
    const storage::rows& rows() const { return rows_; }

private:
    view_snapshot(storage::rows r, MDB_txn* txn) : rows_(std::move(r)), txn_(txn) {}
    storage::rows rows_;
    MDB_txn* txn_;
};

}  // namespace pp::storage

// The view's tables: LMDB with every value sealed (AES-256-GCM, crypto/row_cipher.hpp; bound to table, key and store) and
// every key a number, a random name or a keyed hash. Nothing here knows what a row means; storage/view.hpp does.
#pragma once

#include "crypto/primitives.hpp"
#include "crypto/row_cipher.hpp"
#include "storage/codec.hpp"
#include "storage/error.hpp"
#include "storage/fresh_rows.hpp"
#include "storage/key_sum.hpp"
#include "storage/table_name.hpp"

#include <lmdb.h>

#include <filesystem>
#include <functional>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace pp::storage {

struct account_keys;

struct view_keys {
    explicit view_keys(const account_keys& keys);
    std::vector<crypto::row_cipher> rows;                // by table
    const crypto::row_cipher& of(table t) const { return rows[static_cast<std::size_t>(t)]; }
    crypto::row_key names;                               // PRF for keys that stand for names
    crypto::row_key message_ids;                         // PRF for Message-IDs, as the log carries them
    key_hash hash_of_key;                                // for the sum of all keys
    std::array<std::byte, 16> check;                     // tells a wrong store key from a damaged view
    std::array<std::byte, 16> prf(table t, bytes_view name) const;
};

// The LMDB environment of one account. No transaction knows of another's errors except through suspect().
class view_env {
public:
    // errc::damaged (not a view, cut short, not authentic), errc::wrong_secret, errc::older_format, errc::newer_format,
    // errc::full, errc::io_error.
    // fresh: a new one, with a new store id.
    static result<std::unique_ptr<view_env>> open(const std::filesystem::path& path, const view_keys& keys,
                                                  bytes_view shred_check, std::uint64_t map_bytes, bool fresh);
    ~view_env();
    view_env(const view_env&) = delete;

    MDB_env* env() const { return env_; }
    MDB_dbi dbi(table t) const { return dbi_[static_cast<std::size_t>(t)]; }
    const view_keys& keys() const { return keys_; }
    bytes_view store_id() const { return store_id_; }

    // Closes and opens again: after a failed commit LMDB may refuse everything. Waits until no reader is inside.
    result<void> reopen();
    // Closes, lets `swap` put another file in this one's place and change the keys this one was given, opens again.
    result<void> replace(const std::function<result<void>()>& swap, const bytes& shred_check);
    // Doubles the map; waits until no reader is inside.
    result<void> grow();
    // Grows it ahead of need, so that a group hardly ever runs into the end of the map.
    result<void> keep_room();
    std::shared_mutex& readers() const { return readers_; }
    result<void> sync();                                 // also the meta page
    result<void> commit(MDB_txn* txn);                   // one fdatasync
    // The rows above the file. Changing them and committing them: the writer's thread.
    const std::shared_ptr<fresh_rows>& fresh() const { return fresh_; }
    // Commits a transaction into which all of them were put; they are forgotten then.
    result<void> commit_fresh(MDB_txn* txn);
    // A value with a key of its own, for put_sealed and get_sealed.
    bytes seal(table t, bytes_view key, const crypto::row_key& with, bytes_view plain) const;
    // The sum of the keys in the file as it was committed last: storage/key_sum.hpp.
    std::uint64_t keys_sum() const { return keys_sum_; }
    // What the write transaction under way has added to it. LMDB has one at a time; for open_txn and rows.
    std::uint64_t keys_changed() const { return keys_changed_; }
    void keys_changed(std::uint64_t to) const { keys_changed_ = to; }
    void key_added(table t, bytes_view key) const;
    void key_erased(table t, bytes_view key) const;
    void suspect() const { suspect_ = true; }
    bool is_suspect() const { return suspect_; }

private:
    friend class view_snapshot;
    view_env(std::filesystem::path path, const view_keys& keys, bytes_view shred_check, std::uint64_t map_bytes)
        : path_(std::move(path)), keys_(keys), shred_check_(to_bytes(shred_check)), map_bytes_(map_bytes) {}
    result<void> open_files(bool fresh);
    result<void> prepare(bool fresh, std::uint64_t file_bytes);
    result<void> put_identity(MDB_txn* txn);
    result<void> check_identity(MDB_txn* txn);   // errc::damaged, newer_format, older_format, wrong_secret

    const std::filesystem::path path_;

    const view_keys& keys_;
    bytes shred_check_;
    std::uint64_t map_bytes_;
    MDB_env* env_ = nullptr;
    std::array<MDB_dbi, table_count> dbi_{};
    std::array<std::byte, 16> store_id_{};
    std::uint64_t keys_sum_ = 0;
    mutable std::uint64_t keys_changed_ = 0;
    mutable std::shared_mutex readers_;                  // shared while a read transaction is open
    mutable std::mutex fresh_mutex_;                     // of the pointer and of committing_; held for a moment only
    std::shared_ptr<fresh_rows> fresh_ = std::make_shared<fresh_rows>();
    std::size_t committing_ = 0;                         // LMDB's number of the commit that takes the fresh rows; 0: none
    mutable std::atomic<bool> suspect_ = false;          // a row did not authenticate: rebuild at the next start
};

error_code error_of_lmdb(int rc);
// The map is too small: never leaves the store, which grows it and runs the group again.
error_code map_full();
// A group writes more than fresh_group_bytes_max: never leaves the store, which runs it again on LMDB itself.
error_code too_many_fresh();

// One sealed value of a view: its plaintext, or an error. For reading what is left of a damaged one.
result<bytes> open_view_row(const view_keys& keys, table t, bytes_view key, bytes_view store_id, bytes_view sealed);

// Rows seen through one transaction: of LMDB alone, or with the fresh rows above it.
class rows {
public:
    rows(const view_env& env, MDB_txn* txn) : env_(&env), txn_(txn) {}
    // `seen`: versions up to this one. A writer's changes are of this version and go to the fresh rows.
    rows(const view_env& env, MDB_txn* txn, std::shared_ptr<fresh_rows> fresh, fresh_rows::version seen, bool writes)
        : env_(&env), txn_(txn), fresh_(std::move(fresh)), seen_(seen), writes_fresh_(writes) {}

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
    result<void> write(table t, bytes_view key, bytes_view value);   // to LMDB
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
};

// What a reader sees: the file as it was committed last and the fresh rows that were published then, which fit together.
class view_snapshot {
public:
    // The caller holds env.readers() shared for as long as it lives, or is the writer's thread. errc::io_error: no reader
    // slot is left, or the view is being opened again.
    static result<view_snapshot> take(const view_env& env);
    view_snapshot(view_snapshot&& other) noexcept : rows_(std::move(other.rows_)), txn_(std::exchange(other.txn_, nullptr)) {}
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

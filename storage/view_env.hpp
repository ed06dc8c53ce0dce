// The view's file: one LMDB environment of an account, the keys its rows are sealed with, and the rows that wait above
// it. What reads and writes rows in it: storage/table.hpp.
#pragma once

#include "crypto/primitives.hpp"
#include "crypto/row_cipher.hpp"
#include "storage/codec.hpp"
#include "storage/error.hpp"
#include "storage/fresh_rows.hpp"
#include "storage/key_sum.hpp"
#include "storage/reader_lock.hpp"
#include "storage/table_name.hpp"

#include <lmdb.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <vector>

namespace pp::storage {

inline MDB_val val(bytes_view v) { return {v.size(), const_cast<std::byte*>(v.data())}; }
inline bytes_view view_of(const MDB_val& v) { return {static_cast<const std::byte*>(v.mv_data), v.mv_size}; }
// The one row in the clear, in table::meta: random store id and key checks.
inline constexpr std::string_view identity_key("\0", 1);

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
    // Lets go of the pages that reading has mapped: the system's cache keeps them, the process does not. Nothing
    // happens while a reader is inside. Like grow(), not within a write transaction.
    result<void> release_pages();
    reader_lock& readers() const { return readers_; }
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
    // Rows that were looked up or walked over, by anybody: what a piece of work costs, whatever the machine.
    void count_read() const { rows_read_.fetch_add(1, std::memory_order_relaxed); }
    std::uint64_t rows_read() const { return rows_read_.load(std::memory_order_relaxed); }
    void suspect() const { suspect_ = true; }
    bool is_suspect() const { return suspect_; }

private:
    friend class view_snapshot;
    view_env(std::filesystem::path path, const view_keys& keys, bytes_view shred_check, std::uint64_t map_bytes)
        : path_(std::move(path)), keys_(keys), shred_check_(to_bytes(shred_check)), map_bytes_(map_bytes) {}
    result<void> open_files(bool fresh);
    result<void> map_anew(std::uint64_t bytes);   // nobody is inside
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
    mutable std::atomic<std::uint64_t> rows_read_ = 0;
    mutable reader_lock readers_;                        // shared while a read transaction is open
    mutable std::mutex fresh_mutex_;                     // of the pointer and of committing_; held for a moment only
    std::shared_ptr<fresh_rows> fresh_ = std::make_shared<fresh_rows>();
    // LMDB's number of the commit that takes the fresh rows; 0: none
    std::size_t committing_ = 0;
    mutable std::atomic<bool> suspect_ = false;          // a row did not authenticate: rebuild at the next start
};

error_code error_of_lmdb(int rc);
// The map is too small: never leaves the store, which grows it and runs the group again.
error_code map_full();
// A group writes more than fresh_group_bytes_max: never leaves the store, which runs it again on LMDB itself.
error_code too_many_fresh();

}  // namespace pp::storage

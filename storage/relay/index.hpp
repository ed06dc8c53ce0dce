// The relay's index: an LMDB environment whose values are sealed (XChaCha20-Poly1305, bound to table, key and store)
// and whose keys are numbers and keyed hashes. It is the truth, unlike an account's view: its commits are synced whole.
#pragma once

#include "crypto/primitives.hpp"
#include "storage/relay/error.hpp"
#include "storage/table.hpp"

#include <lmdb.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>

namespace pp::storage::relay {

// The number is part of what each row is bound to: append only.
enum class table : std::uint8_t {
    meta,
    slot,
    number,
    item,
    item_hash,
    spent,
    seed,
    seed_of,
    due,
    owner,
    invite,
    count_
};
inline constexpr std::size_t table_count = static_cast<std::size_t>(table::count_);

using tag16 = std::array<std::byte, 16>;       // a keyed hash in place of a name

class index {
public:
    // Makes it when there is none. errc::damaged, errc::wrong_secret, errc::newer_format, errc::full, errc::io_error.
    static result<std::unique_ptr<index>> open(const std::filesystem::path& path, const crypto::row_key& key);
    ~index();
    index(const index&) = delete;

    tag16 tag(table t, bytes_view name) const;

    // One write transaction at a time, read transactions at any time. f returns false to give up: nothing is changed.
    // The map grows when it must and f runs again. On success the changes are durable.
    result<void> write(const std::function<result<bool>(MDB_txn*)>& f);
    // f runs on one state of the index.
    result<void> read(const std::function<result<void>(MDB_txn*)>& f) const;

    result<std::optional<bytes>> get(MDB_txn* txn, table t, bytes_view key) const;
    result<bool> has(MDB_txn* txn, table t, bytes_view key) const;
    result<void> put(MDB_txn* txn, table t, bytes_view key, bytes_view plain) const;
    result<void> put_empty(MDB_txn* txn, table t, bytes_view key) const;   // a row that is only a key
    result<void> erase(MDB_txn* txn, table t, bytes_view key) const;       // not there is no error
    // Keys with this prefix, not before `from`, in order, until f says false. f does not change this table.
    result<void> each_key(MDB_txn* txn, table t, bytes_view prefix, bytes_view from,
                          const std::function<result<bool>(bytes_view key)>& f) const;

private:
    index(std::filesystem::path path, const crypto::row_key& key);
    result<void> open_files();
    result<void> reopen();
    result<void> identify(MDB_txn* txn, bool fresh);
    result<void> grow();
    bytes bound(table t, bytes_view key) const;

    const std::filesystem::path path_;
    MDB_env* env_ = nullptr;
    std::array<MDB_dbi, table_count> dbi_{};
    std::array<crypto::row_key, table_count> keys_;
    crypto::row_key names_;
    tag16 check_, store_id_{};
    mutable std::shared_mutex readers_;        // shared while a read transaction is open
    std::mutex writer_;
    bool broken_ = false;                      // a commit failed; guarded by writer_
};

}  // namespace pp::storage::relay

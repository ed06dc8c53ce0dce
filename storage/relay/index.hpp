// The relay's index: an LMDB environment whose values are sealed (XChaCha20-Poly1305, bound to table, key and store)
// and whose keys are numbers and keyed hashes. It is the truth, unlike an account's view: its commits are synced whole.
// Each carries the sum of the keys along (storage/key_sum.hpp), so that a row that has gone is noticed.
#pragma once

#include "crypto/primitives.hpp"
#include "storage/key_sum.hpp"
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

inline constexpr std::string_view identity_key = "identity";   // in table meta, and in the clear

// What the relay's one key becomes: names in keys, seals of rows.
struct index_keys {
    explicit index_keys(const crypto::row_key& key);
    tag16 tag(table t, bytes_view name) const;
    // What a row's seal is bound to.
    static bytes bound(table t, bytes_view key, const tag16& store);
    const crypto::row_key& of(table t) const { return rows[static_cast<std::size_t>(t)]; }

    std::array<crypto::row_key, table_count> rows;
    crypto::row_key names;
    key_hash hash_of_key;
    tag16 check{};                       // whether it is the right one
};
// Whose index this is: the value of its identity row. errc::damaged, errc::newer_format, errc::wrong_secret.
result<tag16> store_of_identity(bytes_view value, const tag16& check);

class index {
public:
    // Makes it when there is none. The file must be one that LMDB can walk (storage/view_structure.hpp); keys_sum: of
    // its keys, when all its pages were read. errc::damaged, errc::wrong_secret, errc::newer_format, errc::full,
    // errc::io_error.
    static result<std::unique_ptr<index>> open(const std::filesystem::path& path, const crypto::row_key& key,
                                               std::optional<std::uint64_t> keys_sum = {});
    ~index();
    index(const index&) = delete;

    tag16 tag(table t, bytes_view name) const { return seals_.tag(t, name); }
    bytes identity() const;                    // the value of its identity row

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
    index(std::filesystem::path path, const crypto::row_key& key) : path_(std::move(path)), seals_(key) {}
    result<void> open_files(std::optional<std::uint64_t> keys_sum);
    result<void> reopen();
    result<void> identify(MDB_txn* txn, bool fresh, std::optional<std::uint64_t> keys_sum);
    result<void> put_identity(MDB_txn* txn);
    result<void> store_keys_sum(MDB_txn* txn);
    result<void> grow();
    MDB_dbi dbi(table t) const { return dbi_[static_cast<std::size_t>(t)]; }
    result<void> write_row(MDB_txn* txn, table t, bytes_view key, bytes_view value) const;

    const std::filesystem::path path_;
    MDB_env* env_ = nullptr;
    std::array<MDB_dbi, table_count> dbi_{};
    const index_keys seals_;
    tag16 store_id_{};
    // Of the last commit, and what the open write transaction adds; of the writer.
    std::uint64_t keys_sum_ = 0;
    mutable std::uint64_t keys_changed_ = 0;
    mutable std::shared_mutex readers_;        // shared while a read transaction is open
    std::mutex writer_;
    bool broken_ = false;                      // a commit failed; guarded by writer_
};

}  // namespace pp::storage::relay

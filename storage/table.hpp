// The view's tables: LMDB with every value sealed (XChaCha20-Poly1305, random nonce, bound to table, key and store) and
// every key a number, a random name or a keyed hash. Nothing here knows what a row means; storage/view.hpp does.
#pragma once

#include "crypto/primitives.hpp"
#include "storage/codec.hpp"
#include "storage/error.hpp"

#include <lmdb.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <atomic>

namespace pp::storage {

// The number is part of what each row is bound to: append only.
enum class table : std::uint8_t {
    meta, folder, name, unhoused, keyword, msg, mod, vanish, msgid, env, blob, blob_name, out, inbox, peer, invite,
    password, setting, seen, seen_order, metadata, thread, thread_ref, doc, fts, count_
};
inline constexpr std::size_t lmdb_page_bytes = 4096;     // LMDB takes the page size of the system; this one everywhere
inline constexpr std::size_t table_count = static_cast<std::size_t>(table::count_);

// Keys are short: kept on the stack, big-endian so that LMDB's order is the order of the numbers.
class row_name {
public:
    row_name() = default;
    row_name& u8(std::uint8_t v) { return add(v, 1); }
    row_name& u32(std::uint32_t v) { return add(v, 4); }
    row_name& u64(std::uint64_t v) { return add(v, 8); }
    row_name& raw(bytes_view v) {
        std::copy(v.begin(), v.end(), data_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += v.size();
        return *this;
    }
    bytes_view view() const { return bytes_view(data_).first(size_); }

private:
    row_name& add(std::uint64_t v, std::size_t n) {
        for (std::size_t i = n; i-- > 0;) data_[size_++] = static_cast<std::byte>(v >> (8 * i));
        return *this;
    }
    std::array<std::byte, 48> data_{};
    std::size_t size_ = 0;
};
std::uint32_t key_u32(bytes_view key, std::size_t offset);   // big-endian, out of a key
std::uint64_t key_u64(bytes_view key, std::size_t offset);

struct account_keys;

struct view_keys {
    explicit view_keys(const account_keys& keys);
    std::array<crypto::row_key, table_count> rows;
    crypto::row_key names;                               // PRF for keys that stand for names
    crypto::row_key message_ids;                         // PRF for Message-IDs, as the log carries them
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
    // A value with a key of its own, for put_sealed and get_sealed.
    bytes seal(table t, bytes_view key, const crypto::row_key& with, bytes_view plain) const;
    void suspect() const { suspect_ = true; }
    bool is_suspect() const { return suspect_; }

private:
    view_env(std::filesystem::path path, const view_keys& keys, bytes_view shred_check, std::uint64_t map_bytes)
        : path_(std::move(path)), keys_(keys), shred_check_(to_bytes(shred_check)), map_bytes_(map_bytes) {}
    result<void> open_files(bool fresh);
    result<void> prepare(bool fresh, std::uint64_t file_bytes);
    result<void> check_identity(MDB_txn* txn);   // errc::damaged, newer_format, older_format, wrong_secret

    const std::filesystem::path path_;

    const view_keys& keys_;
    bytes shred_check_;
    std::uint64_t map_bytes_;
    MDB_env* env_ = nullptr;
    std::array<MDB_dbi, table_count> dbi_{};
    std::array<std::byte, 16> store_id_{};
    mutable std::shared_mutex readers_;                  // shared while a read transaction is open
    mutable std::atomic<bool> suspect_ = false;          // a row did not authenticate: rebuild at the next start
};

error_code error_of_lmdb(int rc);
// The map is too small: never leaves the store, which grows it and runs the group again.
error_code map_full();

// Rows seen through one transaction.
// One sealed value of a view: its plaintext, or an error. For reading what is left of a damaged one.
result<bytes> open_view_row(const view_keys& keys, table t, bytes_view key, bytes_view store_id, bytes_view sealed);

class rows {
public:
    rows(const view_env& env, MDB_txn* txn) : env_(&env), txn_(txn) {}

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

private:
    result<bytes_view> opened(table t, bytes_view key, const MDB_val& value, bytes& buffer) const;
    template <class F>
    result<void> walk(table t, bytes_view prefix, bytes_view from, F&& f) const;
    const view_env* env_;
    MDB_txn* txn_;
};

}  // namespace pp::storage

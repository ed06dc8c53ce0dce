#include "storage/relay/index.hpp"

#include "storage/attempt.hpp"
#include "storage/codec.hpp"
#include "storage/durable.hpp"
#include "storage/relay/limits.hpp"

#include <algorithm>
#include <mutex>

namespace pp::storage::relay {
namespace {

constexpr std::array<const char*, table_count> table_names = {"meta", "slot", "number", "item", "item_hash", "spent",
                                                              "seed", "seed_of", "due", "owner", "invite"};
constexpr std::uint8_t index_version = 1;
constexpr std::string_view identity_key = "identity";   // the one row in the clear: version, store id, key check

MDB_val val(bytes_view v) { return {v.size(), const_cast<std::byte*>(v.data())}; }
bytes_view view_of(const MDB_val& v) { return {static_cast<const std::byte*>(v.mv_data), v.mv_size}; }

// Aborts unless it was committed.
struct transaction {
    MDB_txn* txn = nullptr;
    ~transaction() {
        if (txn) mdb_txn_abort(txn);
    }
    MDB_txn* release() { return std::exchange(txn, nullptr); }
};

}  // namespace

index::index(std::filesystem::path path, const crypto::row_key& key)
    : path_(std::move(path)), names_(crypto::derive<crypto::row_key>(key.view(), "peerpost relay names 1")) {
    for (std::size_t i = 0; i < table_count; ++i)
        keys_[i] = crypto::derive<crypto::row_key>(key.view(), std::string("relay|") + table_names[i]);
    const auto full = crypto::blake2b_keyed(key.view(), pp::as_bytes("peerpost relay key check 1"));
    std::copy_n(full.data.begin(), check_.size(), check_.begin());
}

index::~index() {
    if (env_) mdb_env_close(env_);
}

tag16 index::tag(table t, bytes_view name) const {
    byte_writer w;
    w.u8(static_cast<std::uint8_t>(t));
    w.raw(name);
    const auto full = crypto::blake2b_keyed(names_.view(), w.out());
    tag16 out;
    std::copy_n(full.data.begin(), out.size(), out.begin());
    return out;
}

bytes index::bound(table t, bytes_view key) const {
    byte_writer w;
    w.u8(static_cast<std::uint8_t>(t));
    w.sized(key);
    w.raw(store_id_);
    return w.take();
}

// ---------------------------------------------------------------- opening
result<std::unique_ptr<index>> index::open(const std::filesystem::path& path, const crypto::row_key& key) {
    std::unique_ptr<index> made(new index(path, key));
    PP_TRY(made->open_files());
    return made;
}

result<void> index::reopen() {
    const std::unique_lock alone(readers_);
    if (env_) mdb_env_close(env_);
    env_ = nullptr;
    const auto opened = open_files();
    if (!opened && env_) {   // readers and writers then get an error, until the next try
        mdb_env_close(env_);
        env_ = nullptr;
    }
    return opened;
}

result<void> index::open_files() {
    const bool fresh = !durable::exists(path_);
    std::uint64_t file_bytes = 0;
    if (!fresh) {
        PP_LET(const auto f, durable::open_file(path_, durable::mode::read));
        PP_LET(file_bytes, f.size());
    }
    if (const int rc = mdb_env_create(&env_)) return error_of_lmdb(rc);
    mdb_env_set_maxdbs(env_, table_count);
    mdb_env_set_maxreaders(env_, index_readers_max);
    const auto map = std::max<std::uint64_t>(index_map_bytes, 2 * file_bytes) / lmdb_page_bytes * lmdb_page_bytes;
    mdb_env_set_mapsize(env_, static_cast<std::size_t>(map));
    // Synced whole at each commit, meta page included: there is no log behind this.
    if (const int rc = mdb_env_open(env_, path_.c_str(), MDB_NOSUBDIR | MDB_NORDAHEAD | MDB_NOTLS, 0600))
        return error_of_lmdb(rc);
    int dead = 0;
    mdb_reader_check(env_, &dead);
    MDB_envinfo info;
    MDB_stat stat;
    if (const int rc = mdb_env_info(env_, &info)) return error_of_lmdb(rc);
    if (const int rc = mdb_env_stat(env_, &stat)) return error_of_lmdb(rc);
    // Pages behind the end of a file cut short are a SIGBUS, not an error: look before touching them.
    if (file_bytes > 0 && (static_cast<std::uint64_t>(info.me_last_pgno) + 1) * stat.ms_psize > file_bytes)
        return storage::errc::damaged;

    transaction t;
    if (const int rc = mdb_txn_begin(env_, nullptr, 0, &t.txn)) return error_of_lmdb(rc);
    for (std::size_t i = 0; i < table_count; ++i)
        if (const int rc = mdb_dbi_open(t.txn, table_names[i], MDB_CREATE, &dbi_[i])) return error_of_lmdb(rc);
    // A crash between the first commit and its creation leaves no half: an index without identity has no rows either.
    MDB_stat rows;
    if (const int rc = mdb_stat(t.txn, dbi_[static_cast<std::size_t>(table::meta)], &rows)) return error_of_lmdb(rc);
    PP_TRY(identify(t.txn, rows.ms_entries == 0));
    if (const int e = durable::injected_fault(durable::call::view_commit)) return durable::error_of(e);
    if (const int rc = mdb_txn_commit(t.release())) return error_of_lmdb(rc);
    if (fresh) PP_TRY(durable::sync_directory(path_.parent_path()));
    return {};
}

result<void> index::identify(MDB_txn* txn, bool fresh) {
    auto key = val(pp::as_bytes(identity_key));
    const auto dbi = dbi_[static_cast<std::size_t>(table::meta)];
    if (fresh) {
        crypto::random_bytes(store_id_);
        byte_writer w;
        w.u8(index_version);
        w.raw(store_id_);
        w.raw(check_);
        auto value = val(w.out());
        if (const int rc = mdb_put(txn, dbi, &key, &value, 0)) return error_of_lmdb(rc);
        return {};
    }
    MDB_val value;
    if (mdb_get(txn, dbi, &key, &value) != 0) return storage::errc::damaged;
    byte_reader r(view_of(value));
    const auto version = r.u8();
    store_id_ = r.array<16>();
    const auto check = r.array<16>();
    if (!r.done()) return storage::errc::damaged;
    if (version != index_version) return storage::errc::newer_format;
    if (!crypto::equal_constant_time(check, check_)) return storage::errc::wrong_secret;
    return {};
}

result<void> index::grow() {
    const std::unique_lock alone(readers_);
    MDB_envinfo info;
    if (const int rc = mdb_env_info(env_, &info)) return error_of_lmdb(rc);
    if (const int rc = mdb_env_set_mapsize(env_, info.me_mapsize * 2)) return error_of_lmdb(rc);
    return {};
}

// ---------------------------------------------------------------- transactions
result<void> index::write(const std::function<result<bool>(MDB_txn*)>& f) {
    const std::lock_guard one(writer_);
    if (broken_) PP_TRY(reopen());
    broken_ = false;
    for (;;) {
        transaction t;
        if (const int rc = mdb_txn_begin(env_, nullptr, 0, &t.txn)) return error_of_lmdb(rc);
        auto done = f(t.txn);
        if (done && !*done) return {};
        error_code failed;
        if (!done) {
            failed = done.error();
        } else if (const int e = durable::injected_fault(durable::call::view_commit)) {
            broken_ = true;
            return durable::error_of(e);
        } else if (const int rc = mdb_txn_commit(t.release())) {
            failed = error_of_lmdb(rc);
            // after a failed sync LMDB refuses everything: opened anew by the next write
            broken_ = failed != map_full();
        } else {
            return {};
        }
        if (failed != map_full()) return failed;
        if (t.txn) mdb_txn_abort(t.release());
        PP_TRY(grow());
    }
}

result<void> index::read(const std::function<result<void>(MDB_txn*)>& f) const {
    const std::shared_lock inside(readers_);
    if (!env_) return storage::errc::io_error;
    transaction t;
    if (const int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &t.txn)) return error_of_lmdb(rc);
    return f(t.txn);
}

// ---------------------------------------------------------------- rows
result<std::optional<bytes>> index::get(MDB_txn* txn, table t, bytes_view key) const {
    auto k = val(key);
    MDB_val v;
    const auto i = static_cast<std::size_t>(t);
    const int rc = mdb_get(txn, dbi_[i], &k, &v);
    if (rc == MDB_NOTFOUND) return std::optional<bytes>();
    if (rc) return error_of_lmdb(rc);
    auto plain = crypto::open_row(keys_[i], bound(t, key), view_of(v));
    if (!plain) return storage::errc::damaged;
    return std::optional<bytes>(std::move(*plain));
}

result<bool> index::has(MDB_txn* txn, table t, bytes_view key) const {
    auto k = val(key);
    MDB_val v;
    const int rc = mdb_get(txn, dbi_[static_cast<std::size_t>(t)], &k, &v);
    if (rc && rc != MDB_NOTFOUND) return failure{error_of_lmdb(rc)};
    return rc == 0;
}

result<void> index::put(MDB_txn* txn, table t, bytes_view key, bytes_view plain) const {
    const auto i = static_cast<std::size_t>(t);
    const auto sealed = crypto::seal_row(keys_[i], bound(t, key), plain);
    auto k = val(key);
    auto v = val(sealed);
    if (const int rc = mdb_put(txn, dbi_[i], &k, &v, 0)) return error_of_lmdb(rc);
    return {};
}

result<void> index::put_empty(MDB_txn* txn, table t, bytes_view key) const {
    auto k = val(key);
    auto v = val({});
    if (const int rc = mdb_put(txn, dbi_[static_cast<std::size_t>(t)], &k, &v, 0)) return error_of_lmdb(rc);
    return {};
}

result<void> index::erase(MDB_txn* txn, table t, bytes_view key) const {
    auto k = val(key);
    const int rc = mdb_del(txn, dbi_[static_cast<std::size_t>(t)], &k, nullptr);
    if (rc && rc != MDB_NOTFOUND) return error_of_lmdb(rc);
    return {};
}

result<void> index::each_key(MDB_txn* txn, table t, bytes_view prefix, bytes_view from,
                             const std::function<result<bool>(bytes_view)>& f) const {
    MDB_cursor* raw = nullptr;
    if (const int rc = mdb_cursor_open(txn, dbi_[static_cast<std::size_t>(t)], &raw)) return error_of_lmdb(rc);
    const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(raw, mdb_cursor_close);
    auto k = val(from);
    MDB_val v;
    int rc = mdb_cursor_get(raw, &k, &v, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
    for (; rc == 0; rc = mdb_cursor_get(raw, &k, &v, MDB_NEXT)) {
        const auto key = view_of(k);
        if (key.size() < prefix.size() || !std::equal(prefix.begin(), prefix.end(), key.begin())) return {};
        PP_LET(const bool more, f(key));
        if (!more) return {};
    }
    if (rc != MDB_NOTFOUND) return error_of_lmdb(rc);
    return {};
}

}  // namespace pp::storage::relay

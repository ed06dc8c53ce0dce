#include "storage/relay/index.hpp"

#include "storage/attempt.hpp"
#include "storage/codec.hpp"
#include "storage/durable.hpp"
#include "storage/relay/limits.hpp"
#include "storage/view_structure.hpp"

#include <algorithm>
#include <mutex>

namespace pp::storage::relay {
namespace {

constexpr std::array<const char*, table_count> table_names = {"meta", "slot", "number", "item", "item_hash", "spent",
                                                              "seed", "seed_of", "due", "owner", "invite"};
// 1: identity without its hash, no sum of the keys; it becomes a 2 when it is opened.
constexpr std::uint8_t index_version = 2;
constexpr std::string_view keys_sum_key = "keys";       // in table meta
constexpr std::size_t old_identity_bytes = 1 + 16 + 16, identity_hash_bytes = 32;

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

index_keys::index_keys(const crypto::row_key& key)
    : names(crypto::derive<crypto::row_key>(key.view(), "peerpost relay names 1")), hash_of_key(key.view()) {
    for (std::size_t i = 0; i < table_count; ++i)
        rows[i] = crypto::derive<crypto::row_key>(key.view(), std::string("relay|") + table_names[i]);
    const auto full = crypto::blake2b_keyed(key.view(), pp::as_bytes("peerpost relay key check 1"));
    std::copy_n(full.data.begin(), check.size(), check.begin());
}

tag16 index_keys::tag(table t, bytes_view name) const {
    byte_writer w;
    w.u8(static_cast<std::uint8_t>(t));
    w.raw(name);
    const auto full = crypto::blake2b_keyed(names.view(), w.out());
    tag16 out;
    std::copy_n(full.data.begin(), out.size(), out.begin());
    return out;
}

bytes index_keys::bound(table t, bytes_view key, const tag16& store) {
    byte_writer w;
    w.u8(static_cast<std::uint8_t>(t));
    w.sized(key);
    w.raw(store);
    return w.take();
}

result<tag16> store_of_identity(bytes_view value, const tag16& check) {
    const bool old = value.size() == old_identity_bytes && value[0] == std::byte{1};
    if (!old) {
        if (value.size() < old_identity_bytes + identity_hash_bytes) return storage::errc::damaged;
        const auto said = value.first(value.size() - identity_hash_bytes);
        if (!crypto::equal_constant_time(value.subspan(said.size()), crypto::sha256(said).view()))
            return storage::errc::damaged;
    }
    byte_reader r(value);
    const auto version = r.u8();
    const auto store = r.array<16>();
    const auto checked = r.array<16>();
    if (version > index_version) return storage::errc::newer_format;
    if (!crypto::equal_constant_time(checked, check)) return storage::errc::wrong_secret;
    return store;
}

index::~index() {
    if (env_) mdb_env_close(env_);
}

// ---------------------------------------------------------------- opening
result<std::unique_ptr<index>> index::open(const std::filesystem::path& path, const crypto::row_key& key,
                                           std::optional<std::uint64_t> keys_sum) {
    std::unique_ptr<index> made(new index(path, key));
    PP_TRY(made->open_files(keys_sum));
    return made;
}

result<void> index::reopen() {
    const std::unique_lock alone(readers_);
    if (env_) mdb_env_close(env_);
    env_ = nullptr;
    const auto opened = open_files({});
    if (!opened && env_) {   // readers and writers then get an error, until the next try
        mdb_env_close(env_);
        env_ = nullptr;
    }
    return opened;
}

result<void> index::open_files(std::optional<std::uint64_t> keys_sum) {
    const bool fresh = !durable::exists(path_);
    std::uint64_t file_bytes = 0;
    if (!fresh) {
        PP_LET(const auto f, durable::open_file(path_, durable::mode::read));
        PP_LET(file_bytes, f.size());
        if (file_bytes == 0) return storage::errc::damaged;   // LMDB would begin a new one
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
    if (const int rc = mdb_stat(t.txn, dbi(table::meta), &rows)) return error_of_lmdb(rc);
    keys_sum_ = keys_changed_ = 0;
    PP_TRY(identify(t.txn, rows.ms_entries == 0, keys_sum));
    if (const int e = durable::injected_fault(durable::call::view_commit)) return durable::error_of(e);
    if (const int rc = mdb_txn_commit(t.release())) return error_of_lmdb(rc);
    keys_sum_ += std::exchange(keys_changed_, 0);
    if (fresh) PP_TRY(durable::sync_directory(path_.parent_path()));
    return {};
}

result<void> index::identify(MDB_txn* txn, bool fresh, std::optional<std::uint64_t> keys_sum) {
    if (fresh) {
        crypto::random_bytes(store_id_);
        PP_TRY(put_identity(txn));
        return store_keys_sum(txn);
    }
    auto key = val(pp::as_bytes(identity_key));
    MDB_val value;
    if (mdb_get(txn, dbi(table::meta), &key, &value) != 0) return storage::errc::damaged;
    const bool old = value.mv_size == old_identity_bytes;
    PP_LET(store_id_, store_of_identity(view_of(value), seals_.check));
    if (old) {
        if (!keys_sum) {
            PP_LET(const auto read, check_view_structure(path_, structure_depth::whole, &seals_.hash_of_key));
            keys_sum = read.keys_sum;
        }
        keys_sum_ = *keys_sum;
        PP_TRY(put_identity(txn));
        return store_keys_sum(txn);
    }
    PP_LET(const auto raw, get(txn, table::meta, pp::as_bytes(keys_sum_key)));
    if (!raw) return storage::errc::damaged;
    byte_reader r(*raw);
    keys_sum_ = r.u64();
    if (!r.done() || (keys_sum && *keys_sum != keys_sum_)) return storage::errc::damaged;
    return {};
}

bytes index::identity() const {
    byte_writer w;
    w.u8(index_version);
    w.raw(store_id_);
    w.raw(seals_.check);
    w.raw(crypto::sha256(w.out()).view());
    return w.take();
}

result<void> index::put_identity(MDB_txn* txn) {
    return write_row(txn, table::meta, pp::as_bytes(identity_key), identity());
}

// After everything else: its own key counts too.
result<void> index::store_keys_sum(MDB_txn* txn) {
    const auto name = pp::as_bytes(keys_sum_key);
    PP_LET(const bool there, has(txn, table::meta, name));
    const auto own = there ? 0 : seals_.hash_of_key(table_names[static_cast<std::size_t>(table::meta)], name);
    byte_writer w;
    w.u64(keys_sum_ + keys_changed_ + own);
    return put(txn, table::meta, name, w.out());
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
        keys_changed_ = 0;
        auto done = f(t.txn);
        if (done && !*done) return {};
        if (done && keys_changed_ != 0)
            if (const auto stored = store_keys_sum(t.txn); !stored) done = failure{stored.error()};
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
            keys_sum_ += keys_changed_;
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
    const int rc = mdb_get(txn, dbi(t), &k, &v);
    if (rc == MDB_NOTFOUND) return std::optional<bytes>();
    if (rc) return error_of_lmdb(rc);
    auto plain = crypto::open_row(seals_.of(t), index_keys::bound(t, key, store_id_), view_of(v));
    if (!plain) return storage::errc::damaged;
    return std::optional<bytes>(std::move(*plain));
}

result<bool> index::has(MDB_txn* txn, table t, bytes_view key) const {
    auto k = val(key);
    MDB_val v;
    const int rc = mdb_get(txn, dbi(t), &k, &v);
    if (rc && rc != MDB_NOTFOUND) return failure{error_of_lmdb(rc)};
    return rc == 0;
}

result<void> index::write_row(MDB_txn* txn, table t, bytes_view key, bytes_view value) const {
    PP_LET(const bool there, has(txn, t, key));
    auto k = val(key);
    auto v = val(value);
    if (const int rc = mdb_put(txn, dbi(t), &k, &v, 0)) return error_of_lmdb(rc);
    if (!there) keys_changed_ += seals_.hash_of_key(table_names[static_cast<std::size_t>(t)], key);
    return {};
}

result<void> index::put(MDB_txn* txn, table t, bytes_view key, bytes_view plain) const {
    return write_row(txn, t, key, crypto::seal_row(seals_.of(t), index_keys::bound(t, key, store_id_), plain));
}

result<void> index::put_empty(MDB_txn* txn, table t, bytes_view key) const { return write_row(txn, t, key, {}); }

result<void> index::erase(MDB_txn* txn, table t, bytes_view key) const {
    auto k = val(key);
    const int rc = mdb_del(txn, dbi(t), &k, nullptr);
    if (rc && rc != MDB_NOTFOUND) return error_of_lmdb(rc);
    if (rc == 0) keys_changed_ -= seals_.hash_of_key(table_names[static_cast<std::size_t>(t)], key);
    return {};
}

result<void> index::each_key(MDB_txn* txn, table t, bytes_view prefix, bytes_view from,
                             const std::function<result<bool>(bytes_view)>& f) const {
    MDB_cursor* raw = nullptr;
    if (const int rc = mdb_cursor_open(txn, dbi(t), &raw)) return error_of_lmdb(rc);
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

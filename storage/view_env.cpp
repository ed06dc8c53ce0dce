#include "storage/view_env.hpp"

#include "crypto/error_category.hpp"
#include "storage/account_store.hpp"
#include "storage/attempt.hpp"
#include "storage/durable.hpp"
#include "storage/limits.hpp"
#include "storage/table.hpp"

namespace pp::storage {

namespace {
// older ones (FORMAT.md says how they differ) are made again from the log
constexpr std::uint8_t view_version = 5;
constexpr std::array<const char*, table_count> table_names = {
    "meta", "folder", "name",  "unhoused", "keyword", "msg",    "mod",      "vanish",  "msgid", "env",
    "blob", "bname",  "out",   "inbox",    "peer",    "invite", "password", "setting", "seen",  "seen_order",
    "metadata", "thread", "threadref", "doc", "fts", "outref"};
constexpr std::string_view keys_sum_key = "\4";
constexpr std::size_t identity_bytes = 1 + 16 + 16 + 16 + 32;
constexpr std::uint64_t map_headroom_bytes = 64ull << 20;

// Private error values so that "map full" can travel through result<> inside the store.
enum class internal { map_full = 1, too_many_fresh };
const char* internal_sentence(internal e) {
    return e == internal::map_full ? "the view's map is full" : "more rows than are kept in memory";
}
error_code internal_error(internal e) {
    static const error_category<internal> category("storage.view", internal_sentence);
    return category.code(e);
}
}  // namespace

error_code map_full() { return internal_error(internal::map_full); }
error_code too_many_fresh() { return internal_error(internal::too_many_fresh); }

error_code error_of_lmdb(int rc) {
    switch (rc) {
        case MDB_MAP_FULL: return map_full();
        case MDB_NOTFOUND: return errc::not_found;
        case MDB_CORRUPTED:
        case MDB_PAGE_NOTFOUND:
        case MDB_INVALID:
        case MDB_VERSION_MISMATCH:
        case MDB_INCOMPATIBLE:
        case MDB_PANIC: return errc::damaged;
        case MDB_TXN_FULL: return errc::limit;
        default: return rc > 0 ? durable::error_of(rc) : error_code(errc::io_error);
    }
}

// Rows are sealed under store key and shred key together: a new shred key leaves nothing readable of an old view. What
// must outlive it (names in keys, Message-IDs in the log) comes of the store key alone.
view_keys::view_keys(const account_keys& keys)
    : names(crypto::derive<crypto::row_key>(keys.store_key.view(), "peerpost view names 1")),
      message_ids(crypto::derive<crypto::row_key>(keys.store_key.view(), "peerpost message ids 1")),
      hash_of_key(keys.store_key.view()) {
    std::array<std::byte, 64> both{};
    std::copy_n(keys.store_key.view().begin(), 32, both.begin());
    std::copy_n(keys.shred_key.view().begin(), 32, both.begin() + 32);
    rows.reserve(table_count);
    for (std::size_t i = 0; i < table_count; ++i)
        rows.emplace_back(crypto::derive<crypto::row_key>(both, std::string("idx 3|") + table_names[i]));
    sodium_memzero(both.data(), both.size());
    const auto full = crypto::blake2b_keyed(keys.store_key.view(), pp::as_bytes("peerpost store key check 1"));
    std::copy_n(full.data.begin(), check.size(), check.begin());
}

std::array<std::byte, 16> view_keys::prf(table t, bytes_view name) const {
    byte_writer w;
    w.u8(static_cast<std::uint8_t>(t));
    w.raw(name);
    const auto full = crypto::blake2b_keyed(names.view(), w.out());
    std::array<std::byte, 16> out;
    std::copy_n(full.data.begin(), out.size(), out.begin());
    return out;
}

result<std::unique_ptr<view_env>> view_env::open(const std::filesystem::path& path, const view_keys& keys,
                                                 bytes_view shred_check, std::uint64_t map_bytes, bool fresh) {
    std::unique_ptr<view_env> made(new view_env(path, keys, shred_check, map_bytes));
    PP_TRY(made->open_files(fresh));
    return made;
}

result<void> view_env::open_files(bool fresh) {
    std::uint64_t file_bytes = 0;
    if (!fresh) {
        PP_LET(auto f, durable::open_file(path_, durable::mode::read));
        PP_LET(file_bytes, f.size());
        if (file_bytes == 0) return errc::damaged;   // LMDB would begin a new one
        map_bytes_ = std::max(map_bytes_, 4 * file_bytes);
    }
    if (const int rc = mdb_env_create(&env_)) return error_of_lmdb(rc);
    constexpr std::uint64_t page = 4096;
    mdb_env_set_maxdbs(env_, table_count);
    mdb_env_set_maxreaders(env_, view_readers_max);
    mdb_env_set_mapsize(env_, static_cast<std::size_t>((map_bytes_ + page - 1) / page * page));
    // Never MDB_NOSYNC or MDB_WRITEMAP: 196 of 400 power cuts ended badly with them (03-storage, D2). Read-ahead stays
    // on: what is read cold are lists, and their rows lie together (serial keys). Without it a page fault each: the
    // first list of 10 000 envelopes after a start took five times as long.
    const unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NOMETASYNC;
    if (const int rc = mdb_env_open(env_, path_.c_str(), flags, 0600)) return error_of_lmdb(rc);
    int dead = 0;
    mdb_reader_check(env_, &dead);
    return prepare(fresh, file_bytes);
}

result<void> view_env::reopen() {
    const std::unique_lock alone(readers_);
    if (env_) mdb_env_close(env_);
    env_ = nullptr;
    const auto opened = open_files(false);
    if (!opened) {   // readers and writers then get errc::io_error, until the next try
        if (env_) mdb_env_close(env_);
        env_ = nullptr;
    }
    return opened;
}

result<void> view_env::replace(const std::function<result<void>()>& swap, const bytes& shred_check) {
    const std::unique_lock alone(readers_);
    if (env_) mdb_env_close(env_);
    env_ = nullptr;
    PP_TRY(swap());
    shred_check_ = shred_check;
    const auto opened = open_files(false);
    if (!opened && env_) {
        mdb_env_close(env_);
        env_ = nullptr;
    }
    return opened;
}

view_env::~view_env() {
    if (env_) mdb_env_close(env_);
}

namespace {
result<std::uint64_t> load_keys_sum(const rows& r) {
    PP_LET(const auto raw, r.get(table::meta, pp::as_bytes(keys_sum_key)));
    if (!raw) return errc::damaged;
    byte_reader in(*raw);
    const auto sum = in.u64();
    if (!in.done()) return errc::damaged;
    return sum;
}

result<void> store_keys_sum(rows& r, std::uint64_t sum) {
    byte_writer w;
    w.u64(sum);
    return r.put(table::meta, pp::as_bytes(keys_sum_key), w.out());
}
}  // namespace

// The row that says whose view this is, of which version and under which keys.
result<void> view_env::check_identity(MDB_txn* txn) {
    auto key = val(pp::as_bytes(identity_key));
    MDB_val value;
    if (mdb_get(txn, dbi(table::meta), &key, &value) != 0) return errc::damaged;
    const auto raw = view_of(value);
    byte_reader r(raw);
    const auto version = r.u8();
    store_id_ = r.array<16>();
    const auto store_check = r.raw(16);
    const auto shred = r.raw(16);
    const auto sum = r.raw(32);
    if (!r.done() || !crypto::equal_constant_time(sum, crypto::sha256(raw.first(identity_bytes - 32)).view()))
        return errc::damaged;
    if (version > view_version) return errc::newer_format;
    if (version < view_version) return errc::older_format;
    if (!crypto::equal_constant_time(store_check, keys_.check) || !crypto::equal_constant_time(shred, shred_check_))
        return errc::wrong_secret;
    return {};
}

result<void> view_env::put_identity(MDB_txn* txn) {
    crypto::random_bytes(store_id_);
    byte_writer w;
    w.u8(view_version);
    w.raw(store_id_);
    w.raw(keys_.check);
    w.raw(shred_check_);
    w.raw(crypto::sha256(w.out()).view());
    const auto name = pp::as_bytes(identity_key);
    auto key = val(name);
    auto value = val(w.out());
    if (const int rc = mdb_put(txn, dbi(table::meta), &key, &value, 0)) return error_of_lmdb(rc);
    keys_sum_ = keys_changed_ = 0;
    key_added(table::meta, name);
    storage::rows r(*this, txn);
    return store_keys_sum(r, 0);   // its own key counts too; commit() writes the number
}

void view_env::key_added(table t, bytes_view key) const {
    keys_changed_ += keys_.hash_of_key(table_names[static_cast<std::size_t>(t)], key);
}
void view_env::key_erased(table t, bytes_view key) const {
    keys_changed_ -= keys_.hash_of_key(table_names[static_cast<std::size_t>(t)], key);
}

result<void> view_env::prepare(bool fresh, std::uint64_t file_bytes) {
    MDB_envinfo info;
    MDB_stat stat;
    if (const int rc = mdb_env_info(env_, &info)) return error_of_lmdb(rc);
    if (const int rc = mdb_env_stat(env_, &stat)) return error_of_lmdb(rc);
    // Pages behind the end of a file cut short are a SIGBUS, not an error: look before touching them.
    if (!fresh && (static_cast<std::uint64_t>(info.me_last_pgno) + 1) * stat.ms_psize > file_bytes)
        return errc::damaged;

    MDB_txn* txn = nullptr;
    if (const int rc = mdb_txn_begin(env_, nullptr, fresh ? 0 : MDB_RDONLY, &txn)) return error_of_lmdb(rc);
    const auto give_up = [&](error_code e) -> result<void> {
        mdb_txn_abort(txn);
        return e;
    };
    for (std::size_t i = 0; i < table_count; ++i) {
        if (const int rc = mdb_dbi_open(txn, table_names[i], fresh ? MDB_CREATE : 0, &dbi_[i]))
            return give_up(rc == MDB_NOTFOUND ? error_code(errc::damaged) : error_of_lmdb(rc));
        if (fresh || i != 0) continue;
        // Before the other tables: an older view does not have all of them.
        static_assert(static_cast<std::size_t>(table::meta) == 0);
        if (const auto ours = check_identity(txn); !ours) return give_up(ours.error());
    }
    if (fresh) {
        if (const auto written = put_identity(txn); !written) return give_up(written.error());
        return commit(txn);
    }
    const auto sum = load_keys_sum(storage::rows(*this, txn));
    if (!sum) return give_up(sum.error());
    keys_sum_ = *sum;
    // The handles stay open: a transaction that opened them must be committed for that.
    if (const int rc = mdb_txn_commit(txn)) return error_of_lmdb(rc);
    return {};
}

result<void> view_env::grow() {
    const std::unique_lock alone(readers_);
    MDB_envinfo info;
    if (const int rc = mdb_env_info(env_, &info)) return error_of_lmdb(rc);
    return map_anew(info.me_mapsize * 2);
}

// LMDB takes the old map away before it makes the new one. When the system has no room for it, whatever touches a page
// would end the process: everybody gets errc::io_error instead, until reopen().
result<void> view_env::map_anew(std::uint64_t bytes) {
    const int rc = mdb_env_set_mapsize(env_, static_cast<std::size_t>(bytes));
    if (rc == 0) return {};
    mdb_env_close(env_);
    env_ = nullptr;
    return error_of_lmdb(rc);
}

result<void> view_env::release_pages() {
    const std::unique_lock alone(readers_, std::try_to_lock);
    if (!alone || !env_) return {};
    MDB_envinfo info;
    if (const int rc = mdb_env_info(env_, &info)) return error_of_lmdb(rc);
    return map_anew(info.me_mapsize);
}

result<void> view_env::keep_room() {
    MDB_envinfo info;
    MDB_stat stat;
    if (const int rc = mdb_env_info(env_, &info)) return error_of_lmdb(rc);
    if (const int rc = mdb_env_stat(env_, &stat)) return error_of_lmdb(rc);
    const std::uint64_t used = (static_cast<std::uint64_t>(info.me_last_pgno) + 1) * stat.ms_psize;
    const auto room = std::min<std::uint64_t>(map_headroom_bytes, info.me_mapsize / 2);
    return used + room > info.me_mapsize ? grow() : result<void>();
}

result<void> view_env::sync() {
    if (const int e = durable::injected_fault(durable::call::view_commit)) return durable::error_of(e);
    if (const int rc = mdb_env_sync(env_, 1)) return error_of_lmdb(rc);
    return {};
}

result<void> view_env::commit(MDB_txn* txn) {
    if (const int e = durable::injected_fault(durable::call::view_commit)) {
        mdb_txn_abort(txn);
        return durable::error_of(e);
    }
    const auto sum = keys_sum_ + keys_changed_;
    if (keys_changed_ != 0) {
        storage::rows r(*this, txn);
        if (const auto stored = store_keys_sum(r, sum); !stored) {
            mdb_txn_abort(txn);
            return stored;
        }
    }
    if (const int rc = mdb_txn_commit(txn)) return error_of_lmdb(rc);
    keys_sum_ = sum;
    keys_changed_ = 0;
    return {};
}

result<void> view_env::commit_fresh(MDB_txn* txn) {
    {
        const std::lock_guard hold(fresh_mutex_);
        committing_ = mdb_txn_id(txn);
    }
    const auto done = commit(txn);
    const std::lock_guard hold(fresh_mutex_);
    if (done) fresh_ = std::make_shared<fresh_rows>();   // readers that are inside keep the old ones
    committing_ = 0;
    return done;
}

}  // namespace pp::storage

#include "storage/table.hpp"

#include "crypto/assert.hpp"
#include "storage/account_store.hpp"
#include "storage/attempt.hpp"
#include "storage/durable.hpp"
#include "storage/limits.hpp"

#include <cerrno>
#include <thread>

namespace pp::storage {

namespace {
constexpr std::uint8_t row_version = 1;
constexpr std::uint8_t view_version = 4;           // older ones (FORMAT.md says how they differ) are made again from the log
constexpr std::size_t row_step_bytes = 16;
constexpr std::size_t row_head_bytes = 1 + 4;   // version, length
constexpr std::array<const char*, table_count> table_names = {
    "meta", "folder", "name",  "unhoused", "keyword", "msg",    "mod",      "vanish",  "msgid", "env",
    "blob", "bname",  "out",   "inbox",    "peer",    "invite", "password", "setting", "seen",  "seen_order",
    "metadata", "thread", "threadref", "doc", "fts"};
constexpr std::string_view identity_key = "\0";   // the one row in the clear: random store id and key checks
constexpr std::string_view keys_sum_key = "\4";
constexpr std::size_t identity_bytes = 1 + 16 + 16 + 16 + 32;
constexpr std::uint64_t map_headroom_bytes = 64ull << 20;

MDB_val val(bytes_view v) { return {v.size(), const_cast<std::byte*>(v.data())}; }
bytes_view view_of(const MDB_val& v) { return {static_cast<const std::byte*>(v.mv_data), v.mv_size}; }
bool begins_with(bytes_view key, bytes_view prefix) {
    return key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
}

// What a row is bound to: table number, key with its length (LEB128), store id. On the stack: one per row that is read.
class row_aad {
public:
    row_aad(table t, bytes_view key, bytes_view store_id) {
        data_[size_++] = static_cast<std::byte>(t);
        auto n = std::min(key.size(), key_bytes_max);   // LMDB keeps no longer ones
        const auto key_bytes = n;
        for (; n >= 0x80; n >>= 7) data_[size_++] = static_cast<std::byte>(n | 0x80);
        data_[size_++] = static_cast<std::byte>(n);
        append(key.first(key_bytes));
        append(store_id);
    }
    bytes_view view() const { return bytes_view(data_).first(size_); }

private:
    static constexpr std::size_t key_bytes_max = 511;   // of LMDB as Debian builds it
    void append(bytes_view v) {
        std::copy(v.begin(), v.end(), data_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += v.size();
    }
    std::array<std::byte, 1 + 2 + key_bytes_max + 16> data_;
    std::size_t size_ = 0;
};

// A private error value so that "map full" can travel through result<> inside the store.
// Boost's category has a destructor that is not virtual, on purpose: nobody deletes one. g++ warns all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class internal_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "storage.view"; }
    std::string message(int value) const override {
        return value == 1 ? "the view's map is full" : "more rows than are kept in memory";
    }
};
#pragma GCC diagnostic pop

const internal_category& internal_errors() {
    static const internal_category instance;
    return instance;
}
}  // namespace

error_code map_full() { return {1, internal_errors()}; }
error_code too_many_fresh() { return {2, internal_errors()}; }

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

std::uint32_t key_u32(bytes_view key, std::size_t offset) {
    std::uint32_t v = 0;
    for (std::size_t i = 0; i < 4 && offset + i < key.size(); ++i) v = v << 8 | static_cast<std::uint32_t>(key[offset + i]);
    return v;
}
std::uint64_t key_u64(bytes_view key, std::size_t offset) {
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < 8 && offset + i < key.size(); ++i) v = v << 8 | static_cast<std::uint64_t>(key[offset + i]);
    return v;
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

// ------------------------------------------------------------------ environment
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
    // Never MDB_NOSYNC or MDB_WRITEMAP: 196 of 400 power cuts ended badly with them (03-storage, D2). Read-ahead stays on:
    // what is read cold are lists, and their rows lie together (serial keys). Without it a page fault each: the first list
    // of 10 000 envelopes after a start took five times as long.
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
    auto key = val(pp::as_bytes(std::string_view(identity_key.data(), 1)));
    MDB_val value;
    if (mdb_get(txn, dbi(table::meta), &key, &value) != 0) return errc::damaged;
    const auto raw = view_of(value);
    byte_reader r(raw);
    const auto version = r.u8();
    store_id_ = r.array<16>();
    const auto store_check = r.raw(16);
    const auto shred = r.raw(16);
    const auto sum = r.raw(32);
    if (!r.done() || !crypto::equal_constant_time(sum, crypto::sha256(raw.first(identity_bytes - 32)).view())) return errc::damaged;
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
    const auto name = pp::as_bytes(std::string_view(identity_key.data(), 1));
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
    if (!fresh && (static_cast<std::uint64_t>(info.me_last_pgno) + 1) * stat.ms_psize > file_bytes) return errc::damaged;

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
    if (const int rc = mdb_env_set_mapsize(env_, info.me_mapsize * 2)) return error_of_lmdb(rc);
    return {};
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

result<view_snapshot> view_snapshot::take(const view_env& env) {
    if (!env.env_) return errc::io_error;
    for (;;) {
        std::shared_ptr<fresh_rows> fresh;
        {
            const std::lock_guard hold(env.fresh_mutex_);
            fresh = env.fresh_;
        }
        const auto seen = fresh->published();
        MDB_txn* txn = nullptr;
        if (const int rc = mdb_txn_begin(env.env_, nullptr, MDB_RDONLY, &txn)) return error_of_lmdb(rc);
        bool fits = false;
        {
            // A commit that takes these rows between the two looks has put newer ones than `seen` into the file.
            const std::lock_guard hold(env.fresh_mutex_);
            fits = env.fresh_ == fresh && (env.committing_ == 0 || mdb_txn_id(txn) < env.committing_);
        }
        if (fits) return view_snapshot(storage::rows(env, txn, seen > 0 ? std::move(fresh) : nullptr, seen, false), txn);
        mdb_txn_abort(txn);
        std::this_thread::yield();   // until the commit has let go of them, at once
    }
}

result<bytes> open_view_row(const view_keys& keys, table t, bytes_view key, bytes_view store_id, bytes_view sealed) {
    bytes plain;
    auto with = keys.of(t).borrow();
    PP_TRY(with.open_into(plain, row_aad(t, key, store_id).view(), sealed));
    byte_reader r(plain);
    r.u8();
    const auto n = r.u32();
    if (!r.ok() || n > r.left()) return errc::damaged;
    return to_bytes(r.raw(n));
}

// ------------------------------------------------------------------ rows
result<bytes_view> rows::opened(table t, bytes_view key, const MDB_val& value, crypto::row_cipher::borrowed& with,
                                bytes& buffer) const {
    const row_aad aad(t, key, env_->store_id());
    if (with.open_into(buffer, aad.view(), view_of(value))) {
        byte_reader r(buffer);
        const auto version = r.u8();
        const auto n = r.u32();
        if (r.ok() && version == row_version && n <= r.left()) return bytes_view(buffer).subspan(row_head_bytes, n);
        if (r.ok() && version > row_version) return errc::newer_format;
    }
    env_->suspect();
    return errc::damaged;
}

result<std::optional<bytes>> rows::get(table t, bytes_view key) const {
    if (!txn_) return errc::io_error;
    if (fresh_)
        if (auto known = fresh_->find(seen_, t, key)) {
            if (known->what == fresh_rows::kind::erased) return std::optional<bytes>();
            return std::optional<bytes>(std::move(known->plain));
        }
    auto k = val(key);
    MDB_val v;
    const int rc = mdb_get(txn_, env_->dbi(t), &k, &v);
    if (rc == MDB_NOTFOUND) return std::optional<bytes>();
    if (rc) return error_of_lmdb(rc);
    bytes plain;
    auto with = keys().of(t).borrow();
    PP_LET(const auto row, opened(t, key, v, with, plain));
    const auto n = row.size();   // the buffer moves down: no second one for the row alone
    plain.erase(plain.begin(), plain.begin() + row_head_bytes);
    plain.resize(n);
    return std::optional<bytes>(std::move(plain));
}

result<bool> rows::has(table t, bytes_view key) const {
    if (!txn_) return errc::io_error;
    if (fresh_)
        if (const auto known = fresh_->find(seen_, t, key)) return known->what != fresh_rows::kind::erased;
    auto k = val(key);
    MDB_val v;
    const int rc = mdb_get(txn_, env_->dbi(t), &k, &v);
    if (rc == MDB_NOTFOUND) return false;
    if (rc) return failure{error_of_lmdb(rc)};
    return true;
}

result<void> rows::change(table t, bytes_view key, fresh_rows::kind what, bytes_view plain) {
    fresh_->put(seen_, t, key, what, plain);
    if (fresh_->memory_bytes() > fresh_group_bytes_max) return too_many_fresh();
    return {};
}

result<void> rows::put(table t, bytes_view key, bytes_view plain) {
    if (writes_fresh_) return change(t, key, fresh_rows::kind::row, plain);
    byte_writer w;
    w.u8(row_version);
    w.u32(static_cast<std::uint32_t>(plain.size()));
    w.raw(plain);
    w.zeros((row_step_bytes - w.size() % row_step_bytes) % row_step_bytes);
    const row_aad aad(t, key, env_->store_id());
    return write(t, key, keys().of(t).borrow().seal(aad.view(), w.out()));
}

result<void> rows::write(table t, bytes_view key, bytes_view value) {
    auto k = val(key);
    auto v = val(value);
    int rc = mdb_put(txn_, env_->dbi(t), &k, &v, MDB_NOOVERWRITE);
    if (rc == 0) {
        env_->key_added(t, key);
        return {};
    }
    v = val(value);   // it names the old one now
    if (rc == MDB_KEYEXIST) rc = mdb_put(txn_, env_->dbi(t), &k, &v, 0);
    if (rc) return error_of_lmdb(rc);
    return {};
}

bytes view_env::seal(table t, bytes_view key, const crypto::row_key& with, bytes_view plain) const {
    return crypto::seal_row(with, row_aad(t, key, store_id()).view(), plain);
}

result<void> rows::put_sealed(table t, bytes_view key, bytes_view sealed) {
    PP_ASSERT(!writes_fresh_);
    return write(t, key, sealed);
}

result<std::optional<bytes>> rows::get_sealed(table t, bytes_view key, const crypto::row_key& with) const {
    if (!txn_) return errc::io_error;
    auto k = val(key);
    MDB_val v;
    const int rc = mdb_get(txn_, env_->dbi(t), &k, &v);
    if (rc == MDB_NOTFOUND) return std::optional<bytes>();
    if (rc) return error_of_lmdb(rc);
    auto plain = crypto::open_row(with, row_aad(t, key, env_->store_id()).view(), view_of(v));
    if (!plain) return errc::damaged;
    return std::optional<bytes>(std::move(*plain));
}

namespace {
using cursor_ptr = std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)>;
result<cursor_ptr> open_cursor(MDB_txn* txn, MDB_dbi in) {
    MDB_cursor* raw = nullptr;
    if (const int rc = mdb_cursor_open(txn, in, &raw)) return error_of_lmdb(rc);
    return cursor_ptr(raw, mdb_cursor_close);
}
}  // namespace

result<bytes> rows::last_key(table t) const {
    if (!txn_) return errc::io_error;
    PP_LET(const auto cursor, open_cursor(txn_, env_->dbi(t)));
    MDB_val k, v;
    const int rc = mdb_cursor_get(cursor.get(), &k, &v, MDB_LAST);
    if (rc == MDB_NOTFOUND) return bytes();
    if (rc) return error_of_lmdb(rc);
    return to_bytes(view_of(k));
}

result<void> rows::put_empty(table t, bytes_view key) {
    if (writes_fresh_) return change(t, key, fresh_rows::kind::key_only, {});
    return write(t, key, {});
}

result<bool> rows::erase(table t, bytes_view key) {
    if (writes_fresh_) {
        PP_LET(const bool there, has(t, key));
        if (there) PP_TRY(change(t, key, fresh_rows::kind::erased, {}));
        return there;
    }
    auto k = val(key);
    const int rc = mdb_del(txn_, env_->dbi(t), &k, nullptr);
    if (rc == MDB_NOTFOUND) return false;
    if (rc) return failure{error_of_lmdb(rc)};
    env_->key_erased(t, key);
    return true;
}

// f(key, value of LMDB, plaintext of a fresh row): one of the last two.
template <class F>
result<void> rows::walk(table t, bytes_view prefix, bytes_view from, bool with_plain, F&& f) const {
    if (!txn_) return errc::io_error;
    if (fresh_ && fresh_->has_any(t)) return walk_both(t, prefix, from, with_plain, f);
    PP_LET(const auto cursor, open_cursor(txn_, env_->dbi(t)));
    auto k = val(from);
    MDB_val v;
    int rc = mdb_cursor_get(cursor.get(), &k, &v, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
    for (; rc == 0; rc = mdb_cursor_get(cursor.get(), &k, &v, MDB_NEXT)) {
        const auto key = view_of(k);
        if (!begins_with(key, prefix)) return {};
        PP_LET(const bool more, f(key, &v, bytes_view()));
        if (!more) return {};
    }
    if (rc != MDB_NOTFOUND) return error_of_lmdb(rc);
    return {};
}

// Two sorted lists as one; where both have a key the fresh row counts.
template <class F>
result<void> rows::walk_both(table t, bytes_view prefix, bytes_view from, bool with_plain, F&& f) const {
    PP_LET(const auto cursor, open_cursor(txn_, env_->dbi(t)));
    auto k = val(from);
    MDB_val v;
    int rc = mdb_cursor_get(cursor.get(), &k, &v, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
    auto above = fresh_->next(seen_, t, from, false, with_plain);
    for (;;) {
        if (rc != 0 && rc != MDB_NOTFOUND) return error_of_lmdb(rc);
        const bool below = rc == 0 && begins_with(view_of(k), prefix);
        if (above && !begins_with(above->key.view(), prefix)) above.reset();
        if (!below && !above) return {};
        const int order = !above ? 1 : !below ? -1 : key_order(above->key.view(), view_of(k));
        if (order > 0) {
            PP_LET(const bool more, f(view_of(k), &v, bytes_view()));
            if (!more) return {};
            rc = mdb_cursor_get(cursor.get(), &k, &v, MDB_NEXT);
            continue;
        }
        if (order == 0) rc = mdb_cursor_get(cursor.get(), &k, &v, MDB_NEXT);
        const auto mine = std::move(*above);
        if (mine.is.what != fresh_rows::kind::erased) {
            PP_LET(const bool more, f(mine.key.view(), nullptr, mine.is.plain));
            if (!more) return {};
        }
        above = fresh_->next(seen_, t, mine.key.view(), true, with_plain);
    }
}

result<void> rows::each(table t, bytes_view prefix, bytes_view from, const visitor& f) const {
    bytes buffer;
    auto with = keys().of(t).borrow();   // not for each row: a list may be long
    return walk(t, prefix, from, true, [&](bytes_view key, const MDB_val* v, bytes_view fresh) -> result<bool> {
        if (!v) return f(key, fresh);
        if (t == table::meta && as_text(key) == std::string_view(identity_key.data(), 1)) return true;
        PP_LET(const auto plain, opened(t, key, *v, with, buffer));
        return f(key, plain);
    });
}

result<void> rows::each_key(table t, bytes_view prefix, bytes_view from, const key_visitor& f) const {
    return walk(t, prefix, from, false, [&](bytes_view key, const MDB_val*, bytes_view) { return f(key); });
}

result<void> rows::erase_prefix(table t, bytes_view prefix) {
    if (writes_fresh_) {
        std::vector<row_name> keys;
        PP_TRY(each_key(t, prefix, prefix, [&](bytes_view key) -> result<bool> {
            keys.push_back(row_name().raw(key));
            return true;
        }));
        for (const auto& key : keys) PP_TRY(erase(t, key.view()));
        return {};
    }
    PP_LET(const auto cursor, open_cursor(txn_, env_->dbi(t)));
    for (;;) {
        auto k = val(prefix);
        MDB_val v;
        const int rc = mdb_cursor_get(cursor.get(), &k, &v, MDB_SET_RANGE);
        if (rc == MDB_NOTFOUND) return {};
        if (rc) return failure{error_of_lmdb(rc)};
        const auto key = view_of(k);
        if (!begins_with(key, prefix)) return {};
        env_->key_erased(t, key);
        if (const int deleted = mdb_cursor_del(cursor.get(), 0)) return error_of_lmdb(deleted);
    }
}

result<std::uint64_t> rows::count(table t) const {
    MDB_stat s;
    if (!txn_) return errc::io_error;
    if (const int rc = mdb_stat(txn_, env_->dbi(t), &s)) return error_of_lmdb(rc);
    auto n = static_cast<std::uint64_t>(s.ms_entries);
    const rows below(*env_, txn_);
    for (const auto& [key, erased] : fresh_keys(t)) {
        PP_LET(const bool there, below.has(t, key.view()));
        if (there && erased) --n;
        if (!there && !erased) ++n;
    }
    return n;
}

std::vector<std::pair<row_name, bool>> rows::fresh_keys(table t) const {
    std::vector<std::pair<row_name, bool>> out;
    if (!fresh_) return out;
    for (auto one = fresh_->next(seen_, t, {}, false, false); one; one = fresh_->next(seen_, t, one->key.view(), true, false))
        out.emplace_back(one->key, one->is.what == fresh_rows::kind::erased);
    return out;
}

}  // namespace pp::storage

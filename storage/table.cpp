#include "storage/table.hpp"

#include "crypto/assert.hpp"
#include "storage/attempt.hpp"
#include "storage/limits.hpp"

#include <thread>

namespace pp::storage {

namespace {
constexpr std::uint8_t row_version = 1;
constexpr std::size_t row_step_bytes = 16;
constexpr std::size_t row_head_bytes = 1 + 4;   // version, length

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
}  // namespace

std::uint32_t key_u32(bytes_view key, std::size_t offset) {
    std::uint32_t v = 0;
    for (std::size_t i = 0; i < 4 && offset + i < key.size(); ++i)
        v = v << 8 | static_cast<std::uint32_t>(key[offset + i]);
    return v;
}
std::uint64_t key_u64(bytes_view key, std::size_t offset) {
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < 8 && offset + i < key.size(); ++i)
        v = v << 8 | static_cast<std::uint64_t>(key[offset + i]);
    return v;
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
        if (fits)
            return view_snapshot(storage::rows(env, txn, seen > 0 ? std::move(fresh) : nullptr, seen, false), txn);
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
    env_->count_read();
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

// As a writer sees it.
result<bool> rows::has_now(table t, bytes_view key) const {
    if (const auto known = fresh_->newest_kind(t, key)) return *known != fresh_rows::kind::erased;
    return rows(*env_, txn_).has(t, key);
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

rows::write_cursor::~write_cursor() {
    if (at) mdb_cursor_close(at);
}

result<MDB_cursor*> rows::cursor_in(table t) {
    auto& c = *in_order_;
    if (c.at && c.in == t) return c.at;
    if (c.at) mdb_cursor_close(std::exchange(c.at, nullptr));
    if (const int rc = mdb_cursor_open(txn_, env_->dbi(t), &c.at)) return failure{error_of_lmdb(rc)};
    c.in = t;
    return c.at;
}

// MDB_NOOVERWRITE leaves the cursor at the row that is there.
result<void> rows::write_here(MDB_cursor* at, table t, bytes_view key, bytes_view value) {
    auto k = val(key);
    auto v = val(value);
    int rc = mdb_cursor_put(at, &k, &v, MDB_NOOVERWRITE);
    if (rc == 0) {
        env_->key_added(t, key);
        return {};
    }
    k = val(key);
    v = val(value);   // it names the old one now
    if (rc == MDB_KEYEXIST) rc = mdb_cursor_put(at, &k, &v, MDB_CURRENT);
    if (rc) return error_of_lmdb(rc);
    return {};
}

result<void> rows::write(table t, bytes_view key, bytes_view value) {
    if (in_order_) {
        PP_LET(auto* const at, cursor_in(t));
        return write_here(at, t, key, value);
    }
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
        PP_LET(const bool there, has_now(t, key));
        if (there) PP_TRY(change(t, key, fresh_rows::kind::erased, {}));
        return there;
    }
    auto k = val(key);
    int rc = 0;
    if (in_order_) {
        PP_LET(auto* const at, cursor_in(t));
        rc = mdb_cursor_get(at, &k, nullptr, MDB_SET);
        if (rc == 0) rc = mdb_cursor_del(at, 0);
    } else {
        rc = mdb_del(txn_, env_->dbi(t), &k, nullptr);
    }
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
        env_->count_read();
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
        env_->count_read();
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
        if (t == table::meta && as_text(key) == identity_key) return true;
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
    for (auto one = fresh_->next(seen_, t, {}, false, false); one;
         one = fresh_->next(seen_, t, one->key.view(), true, false))
        out.emplace_back(one->key, one->is.what == fresh_rows::kind::erased);
    return out;
}

}  // namespace pp::storage

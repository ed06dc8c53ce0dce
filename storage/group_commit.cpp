// Writing one group (03-storage 3.7): the jobs, one write and one sync of the log (the durability point), then their
// rows are published (the visibility point). The rows wait in memory for a commit of the view that takes those of many
// groups (settle()); a group that would not fit there works on LMDB itself,
// in nested transactions and with a commit of its own.
#include "storage/attempt.hpp"
#include "storage/limits.hpp"
#include "storage/store_state.hpp"

namespace pp::storage {

namespace {
struct group_outcome {
    std::vector<result<void>> results;
    std::vector<blob_writer::state*> used;
    std::vector<crypto::blob_id> cleared;
};

// Runs the jobs; map_full() when the view has to grow first and all of it has to run again.
result<void> run_jobs(std::span<account_store::job> jobs, const view_env& env, MDB_txn* parent, group_builder& group,
                      const crypto::row_key& shred_key, group_outcome& out) {
    for (auto& job : jobs) {
        const auto mark = group.set_mark();
        PP_LET(auto txn, open_txn::begin(env, parent, 0));
        job_txn t(rows(env, txn.get()), group, shred_key);
        auto r = job(t);
        if (r) r = t.finish();
        if (r) {
            if (const int rc = mdb_txn_commit(txn.release())) r = error_of_lmdb(rc);
        }
        if (!r) {
            group.roll_back(mark);
            if (r.error() == map_full()) return r;
        } else {
            out.used.insert(out.used.end(), t.used().begin(), t.used().end());
            out.cleared.insert(out.cleared.end(), t.cleared().begin(), t.cleared().end());
        }
        out.results.push_back(std::move(r));
    }
    return {};
}

std::uint64_t now_ms() { return static_cast<std::uint64_t>(std::max<std::int64_t>(wall_clock_ms(), 0)); }

result<void> put_fresh(rows& r, table t, bytes_view key, const fresh_rows::value& is) {
    switch (is.what) {
    case fresh_rows::kind::row: return r.put(t, key, is.plain);
    case fresh_rows::kind::key_only: return r.put_empty(t, key);
    case fresh_rows::kind::erased: break;
    }
    PP_TRY(r.erase(t, key));
    return {};
}
}  // namespace

std::vector<result<void>> account_store::state::write_group(std::span<job> jobs) {
    // Whoever writes also settles, in moments when nobody waits; this is for those who do not.
    if (writable && env->fresh()->memory_bytes() > 2 * fresh_bytes_max) (void)settle();
    if (!env->env()) writable = false;   // heal() opens it again
    if (!writable) return std::vector<result<void>>(jobs.size(), result<void>(errc::read_only));
    if (options.fresh_rows)
        if (auto done = write_fresh(jobs)) return std::move(*done);
    return write_through(jobs);
}

std::optional<std::vector<result<void>>> account_store::state::write_fresh(std::span<job> jobs) {
    const auto fresh = env->fresh();
    const auto before = fresh->published();
    group_builder group(durable_end, options.segment_bytes, secrets.log);
    group_outcome out;
    const auto fail = [&](error_code e) {
        fresh->undo(before + 1);
        out.results.resize(jobs.size(), result<void>(e));
        for (auto& result : out.results)
            if (result) result = e;
        return std::move(out.results);
    };
    {
        auto txn = open_txn::begin(*env, nullptr, MDB_RDONLY);
        if (!txn) return fail(txn.error());
        for (auto& job : jobs) {
            const auto mark = group.set_mark();
            const auto version = fresh->begin();
            job_txn t(rows(*env, txn->get(), fresh, version, true), group, secrets.keys.shred_key);
            auto r = job(t);
            if (r) r = t.finish();
            if (fresh->memory_bytes() > fresh_group_bytes_max) {
                fresh->undo(before + 1);
                return std::nullopt;
            }
            if (!r) {
                fresh->undo(version);
                group.roll_back(mark);
            } else {
                out.used.insert(out.used.end(), t.used().begin(), t.used().end());
                out.cleared.insert(out.cleared.end(), t.cleared().begin(), t.cleared().end());
            }
            out.results.push_back(std::move(r));
        }
        if (env->is_suspect()) note_suspect();
        if (group.empty()) {
            fresh->undo(before + 1);
            return std::move(out.results);
        }
        group.finish(now_ms());
        rows r(*env, txn->get(), fresh, fresh->begin(), true);
        if (const auto stored = view::store_applied(r, group.end().encode()); !stored) {
            if (stored.error() != too_many_fresh()) return fail(stored.error());
            fresh->undo(before + 1);
            return std::nullopt;
        }
    }
    if (const auto written = log.append(group); !written) {   // durability point
        writable = log.sound();
        return fail(written.error());
    }
    durable_end = group.end();
    fresh->publish();                                         // visibility point
    for (auto* blob : out.used) blob->taken = true;
    cleared.insert(cleared.end(), out.cleared.begin(), out.cleared.end());
    return std::move(out.results);
}

result<void> account_store::state::settle() {
    if (env->fresh()->empty()) return {};
    const auto done = [&]() -> result<void> {
        for (;;) {
            PP_TRY(env->keep_room());
            const auto committed = [&]() -> result<void> {
                PP_LET(auto txn, open_txn::begin(*env, nullptr, 0));
                rows r(*env, txn.get());
                r.write_in_order();
                PP_TRY(env->fresh()->each_newest(
                    [&](table t, bytes_view key, const fresh_rows::value& is) { return put_fresh(r, t, key, is); }));
                r.close_cursor();
                return env->commit_fresh(txn.release());
            }();
            if (committed || committed.error() != map_full()) return committed;
            PP_TRY(env->grow());
        }
    }();
    if (!done) {
        writable = false;   // the log has all of it; no more until the view can follow
        return done;
    }
    for (const auto& id : cleared) (void)durable::unlink_file(space->path_of(id));   // else at the next start
    cleared.clear();
    return {};
}

std::vector<result<void>> account_store::state::write_through(std::span<job> jobs) {
    const auto all = [&](error_code e) { return std::vector<result<void>>(jobs.size(), result<void>(e)); };
    if (const auto r = settle(); !r) return all(r.error());
    if (const auto r = env->keep_room(); !r) return all(r.error());

    for (;;) {
        group_builder group(durable_end, options.segment_bytes, secrets.log);
        group_outcome out;
        auto txn = open_txn::begin(*env, nullptr, 0);
        if (!txn) return all(txn.error());
        auto ran = run_jobs(jobs, *env, txn->get(), group, secrets.keys.shred_key, out);
        if (env->is_suspect()) note_suspect();
        if (ran && group.empty()) return std::move(out.results);
        if (ran) {
            group.finish(now_ms());
            rows r(*env, txn->get());
            ran = view::store_applied(r, group.end().encode());
        }
        if (!ran && ran.error() == map_full()) {
            mdb_txn_abort(txn->release());
            if (const auto grown = env->grow(); !grown) return all(grown.error());
            continue;   // the jobs run again, on nothing of what they did
        }
        const auto fail = [&](error_code e) {
            for (auto& result : out.results)
                if (result) result = e;
            return std::move(out.results);
        };
        if (!ran) return all(ran.error());

        if (const auto written = log.append(group); !written) {   // durability point
            writable = log.sound();
            return fail(written.error());
        }
        const auto before = durable_end;
        durable_end = group.end();
        if (const auto committed = env->commit(txn->release()); !committed) {   // visibility point
            bool undone = false;
            const auto repaired = commit_failed(committed.error(), before, group.end(), undone);
            if (undone) return fail(repaired.error());
            // Repaired, or durable in the log and applied by heal(): the promise holds either way.
        }
        for (auto* blob : out.used) blob->taken = true;
        for (const auto& id : out.cleared) (void)durable::unlink_file(space->path_of(id));   // else at the next start
        return std::move(out.results);
    }
}

// The log has the group and the view has not. First it is applied again; when the view cannot take it, the group is
// taken out of the log, so that the error the jobs get is the truth; when that fails too, the jobs stand.
result<void> account_store::state::commit_failed(error_code why, const log_position& before, const log_position& after,
                                                 bool& undone) {
    writable = false;
    recovery_report ignored;
    const auto again = [&]() -> result<void> {
        PP_TRY(env->reopen());
        PP_TRY(replay(*env, after, ignored));
        return rebuild_indexes(*env, ignored);
    }();
    if (again) {
        writable = true;
        return {};
    }
    if (!env->env()) (void)env->reopen();
    // A commit may have failed after it became visible; then the log must keep what the view shows.
    bool shown = true;
    {
        auto txn = open_txn::begin(*env, nullptr, MDB_RDONLY);
        if (txn) {
            const auto raw = view::load_applied(rows(*env, txn->get()));
            if (raw && *raw) {
                const auto at = log_position::decode(**raw);
                shown = !at || at->seq() != before.seq();
            }
        }
    }
    if (shown) return why;
    const auto cut = log.cut(before);
    if (!cut && !log.shortened()) return why;
    // A cut whose sync failed has happened all the same: nobody may be told that the group stands. heal() cuts again.
    durable_end = before;
    undone = true;
    writable = why == errc::full && log.sound();
    return why;
}

void account_store::state::note_suspect() {
    if (suspect_noted.exchange(true)) return;
    (void)durable::open_file(suspect_path(), durable::mode::create_or_truncate);
}

}  // namespace pp::storage

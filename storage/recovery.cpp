// Opening a store after anything (03-storage 3.7, "Recovery at start"), rebuilding its view, healing it while open.
//
// The rules: bytes behind the last good head that no signed head follows are a torn tail and may be cut. Bytes before
// a signed head that do not fit are damage: nothing is cut, nothing is repaired. A log that ends before what the view
// has seen is lost: stop and say so. A view that cannot be read is put aside and rebuilt from the log.
#include "storage/attempt.hpp"
#include "storage/generations.hpp"
#include "storage/plural.hpp"
#include "storage/store_state.hpp"

#include <map>

namespace pp::storage {

namespace {

// All rows that everything else stands on authenticate.
result<void> probe(const view_env& env) {
    PP_LET(auto txn, open_txn::begin(env, nullptr, MDB_RDONLY));
    const rows r(env, txn.get());
    PP_TRY(view::load_counters(r));
    PP_TRY(queries::mailboxes(r));
    PP_TRY(queries::outbox(r, true));
    return {};
}

bool is_made_again(const error_code& e) {
    return e == errc::damaged || e == errc::not_found || e == errc::older_format;
}

// Does the head the view ends with stand in the log?
enum class joint { fits, lost, damaged };
result<joint> look_at_joint(const std::filesystem::path& log_folder, const log_position& at) {
    const auto path = segment_path(log_folder, at.generation, at.segment);
    auto opened = durable::open_file(path, durable::mode::read);
    if (!opened) {
        if (opened.error() == errc::not_found) return joint::lost;
        return opened.error();
    }
    PP_LET(const auto size, opened->size());
    if (size < at.offset) return joint::lost;
    if (at.head_offset == 0) return joint::fits;
    bytes raw(static_cast<std::size_t>(at.offset - at.head_offset));
    PP_LET(const auto n, opened->read_at(at.head_offset, raw));
    if (n != raw.size()) return joint::lost;
    if (std::all_of(raw.begin(), raw.end(), [](std::byte b) { return b == std::byte{0}; })) return joint::lost;
    if (raw.size() < frame_hash_bytes ||
        crypto::merkle::leaf_hash(bytes_view(raw).first(raw.size() - frame_hash_bytes)) != at.last_head)
        return joint::damaged;
    return joint::fits;
}

}  // namespace

result<log_position> position_of(const view_env& env) {
    PP_LET(auto txn, open_txn::begin(env, nullptr, MDB_RDONLY));
    PP_LET(const auto raw, view::load_applied(rows(env, txn.get())));
    if (!raw) return errc::damaged;
    return log_position::decode(*raw);
}

result<void> apply_groups(const std::vector<log_walker::group>& groups, view_env& env,
                          const crypto::row_key& shred_key) {
    for (;;) {
        PP_TRY(env.keep_room());
        const auto done = [&]() -> result<void> {
            PP_LET(auto txn, open_txn::begin(env, nullptr, 0));
            rows r(env, txn.get());
            apply_context c{r, shred_key};
            bool with_mails = false;
            for (const auto& g : groups)
                for (const auto& entry : g.entries) {
                    PP_LET(const auto operations, decode_operations(entry));
                    for (const auto& o : operations) {
                        with_mails |=
                            std::holds_alternative<op::add_blob>(o) || std::holds_alternative<op::restore_blob>(o);
                        PP_TRY(apply_operation(o, c));
                    }
                }
            if (with_mails) {
                PP_LET(auto n, view::load_counters(r));
                n.indexes_missing = true;
                PP_TRY(view::store_counters(r, n));
            }
            PP_TRY(view::store_applied(r, groups.back().end.encode()));
            return env.commit(txn.release());
        }();
        if (done || done.error() != map_full()) return done;
        PP_TRY(env.grow());
    }
}

// Only headers are read, nothing is opened for writing: keys of another store must leave no trace.
result<void> account_store::state::take_generation() {
    PP_LET(const auto found, find_generations(log_folder(), secrets.log));
    generation = found.current;
    return {};
}

// A shred or repair that was cut off: what it has finished is taken up, what it has not is removed.
result<void> account_store::state::settle_generations(recovery_report& report) {
    PP_TRY(remove_unfinished_generations(folder, generation));
    const auto next = view_of_generation(folder, generation);
    PP_TRY(durable::unlink_file(next.string() + "-lock"));
    if (durable::exists(next)) {
        PP_TRY(durable::unlink_file(view_path()));   // of the generation before
        PP_TRY(durable::unlink_file(folder / "view-lock"));
        PP_TRY(durable::rename_file(next, view_path()));
        PP_TRY(durable::sync_directory(folder));
    }
    PP_LET(const auto all, find_generations(log_folder(), secrets.log));
    for (const auto& gone : {all.unreadable, all.emptied})
        for (const auto n : gone) PP_TRY(durable::remove_tree(log_folder() / std::to_string(n)));
    repair_report aside;
    for (const auto n : all.older)
        PP_TRY(put_aside(log_folder() / std::to_string(n), "log-" + std::to_string(n), aside));
    if (!all.unreadable.empty()) report.notes.push_back("an older log that no key opens any more was removed");
    return {};
}

result<void> account_store::state::recover(recovery_report& report) {
    PP_TRY(take_generation());
    PP_TRY(settle_generations(report));
    bool usable = true;
    if (durable::exists(view_path())) {
        const auto found = marks.before_opening(view_path(), options.view_checked_bytes, secrets.view.hash_of_key);
        if (found == view_marks::verdict::no_access) {
            marks.opened();
            return errc::no_access;
        }
        usable = found == view_marks::verdict::open;
        if (found == view_marks::verdict::damaged)
            report.notes.push_back("the pages of the view are damaged; it is rebuilt from the log");
        if (found == view_marks::verdict::ended_the_process)
            report.notes.push_back("opening the view has ended the process before; it is rebuilt from the log");
    }
    const auto recovered = recover_marked(report, usable);
    marks.opened();   // or refused: either way this process lives on
    return recovered;
}

void account_store::state::close_view() {
    if (env && env->is_suspect()) note_suspect();   // a row that only readers came across
    if (!env || !env->env() || env->is_suspect() || recovery_pending || !writable || !settle()) return;
    const bool synced = static_cast<bool>(env->sync());
    env.reset();
    if (synced) marks.closed(view_path());
}

result<void> account_store::state::recover_marked(recovery_report& report, bool usable_view) {
    for (const auto* name : {"view.rebuild", "view.rebuild-lock"}) PP_TRY(durable::unlink_file(folder / name));

    bool rebuild = durable::exists(suspect_path());
    if (rebuild) report.notes.push_back("a row of the view could not be read; the view is rebuilt from the log");
    rebuild |= !usable_view;
    bool outdated = false;
    if (!rebuild) {
        auto opened = view_env::open(view_path(), secrets.view, secrets.shred_check, options.view_map_bytes, false);
        result<void> usable = opened ? probe(**opened) : result<void>(opened.error());
        if (usable && marks.keys_sum().value_or((*opened)->keys_sum()) != (*opened)->keys_sum()) usable = errc::damaged;
        if (usable) {
            const auto at = position_of(**opened);
            if (!at)
                usable = at.error();
            else if (at->generation != generation)
                usable = errc::damaged;   // of an older generation: its rows say where blobs lay then
        }
        if (usable) {
            env = std::move(*opened);
        } else if (is_made_again(usable.error())) {
            rebuild = true;
            outdated = usable.error() == errc::older_format;
            if (outdated)
                report.notes.push_back("the view was of an older version; it was made again from the log");
            else if (durable::exists(view_path()))
                report.notes.push_back("the view could not be read; it is rebuilt from the log");
        } else {
            return usable;
        }
    }
    if (rebuild) {
        env.reset();
        PP_TRY(rebuild_view(report, !outdated));
    }
    PP_LET(const auto seen, position_of(*env));
    PP_LET(const auto where, look_at_joint(log_folder(), seen));
    if (where == joint::lost) return errc::log_lost;
    if (where == joint::damaged)
        report.notes.push_back("the end of the log that is in use is damaged; the view is whole and nothing was cut");

    const auto begin = [&](bool rebuilt) -> result<void> {
        PP_TRY(catch_up(report, rebuilt));
        return remove_leftovers(report);
    };
    auto caught_up = begin(rebuild);
    if (!rebuild && (env->is_suspect() || suspect_noted) && (caught_up || caught_up.error() == errc::damaged)) {
        report.notes.push_back("the view is damaged; it is rebuilt from the log");   // what probe() did not come across
        writable = false;
        env.reset();
        PP_TRY(rebuild_view(report, true));
        suspect_noted = false;
        caught_up = begin(true);
    }
    if (caught_up || caught_up.error() != errc::full) return caught_up;
    // No room to bring the view up to the log: what it has can be read, and try_heal() does the rest.
    recovery_pending = true;
    report.notes.push_back("the disk is full; the newest changes are kept in the log and shown when there is room");
    return {};
}

result<void> account_store::state::catch_up(recovery_report& report, bool rebuilt) {
    PP_TRY(replay(*env, std::nullopt, report));
    PP_LET(durable_end, position_of(*env));
    // Without the old view nobody knows whether the last bytes were in use: they are kept beside the log.
    if (rebuilt) PP_TRY(keep_tail());
    PP_LET(const auto lost, log.cut(durable_end));
    if (lost > 0) {
        report.bytes_cut += lost;
        report.notes.push_back(plural(lost, "byte") + " behind the last complete entry were cut off");
    }
    PP_TRY(rebuild_indexes(*env, report));
    recovery_pending = false;
    writable = true;
    return {};
}

result<void> account_store::state::keep_tail() {
    PP_LET(const auto there, segments_in(log_folder(), generation));
    for (const auto n : there) {
        if (n <= durable_end.segment) continue;
        PP_TRY(durable::rename_file(segment_path(log_folder(), generation, n),
                                    log_folder() / ("cut-" + std::to_string(n) + "-0")));
        PP_TRY(durable::sync_directory(log_folder()));
        PP_TRY(durable::sync_directory(log_folder() / std::to_string(generation)));
    }
    PP_LET(const auto dirty, log.dirty_bytes(durable_end));
    if (dirty == 0) return {};
    PP_LET(auto from,
           durable::open_file(segment_path(log_folder(), generation, durable_end.segment), durable::mode::read));
    PP_LET(auto to, durable::open_file(log_folder() / ("cut-" + std::to_string(durable_end.segment) + "-" +
                                                       std::to_string(durable_end.offset)),
                                       durable::mode::create_or_truncate));
    bytes piece(zero_step_bytes);
    for (std::uint64_t at = 0; at < dirty;) {
        PP_LET(const auto n, from.read_at(durable_end.offset + at, piece));
        if (n == 0) break;
        PP_TRY(to.write_at(at, bytes_view(piece).first(n)));
        at += n;
    }
    PP_TRY(to.sync());
    return durable::sync_directory(log_folder());
}

// Reads groups one ahead: an inline blob that is damaged in the last group means that this group never was finished.
result<void> account_store::state::replay(view_env& into, const std::optional<log_position>& until,
                                          recovery_report& report) {
    PP_LET(const auto from, position_of(into));
    {   // Serials rise: what the log adds has this one or a later one.
        PP_LET(auto txn, open_txn::begin(into, nullptr, MDB_RDONLY));
        PP_LET(const auto n, view::load_counters(rows(into, txn.get())));
        reindex_from = n.indexes_missing ? 0 : n.next_serial;
    }
    log_walker walker(log_folder(), secrets.log, from);
    std::vector<log_walker::group> batch;
    std::size_t entries = 0;
    const auto flush = [&]() -> result<void> {
        if (batch.empty()) return {};
        const auto applied = apply_groups(batch, into, secrets.keys.shred_key);
        if (!applied) return applied;
        report.entries_replayed += entries;
        batch.clear();
        entries = 0;
        return {};
    };
    std::optional<log_walker::group> held;
    auto held_begin = from;
    const auto keep = [&](log_walker::group g) -> result<void> {
        if (g.damaged_blobs > 0)
            report.notes.push_back(plural(g.damaged_blobs, "mail") + " in the log are damaged; the rest is whole");
        entries += g.entries.size();
        batch.push_back(std::move(g));
        return entries >= replay_batch_entries ? flush() : result<void>();
    };
    for (;;) {
        if (until && walker.position().seq() >= until->seq()) break;
        auto begin = walker.position();
        PP_LET(auto next, walker.next());
        if (held && next) PP_TRY(keep(std::move(*held)));
        if (!next) break;
        held = std::move(next);
        held_begin = std::move(begin);
    }
    bool torn = false;
    if (held) {
        torn = held->damaged_blobs > 0 && !until;
        // All others were synced before it was begun. This one an earlier process may have failed to sync.
        if (!torn && !until) PP_TRY(log.write_again(held_begin, held->end));
        if (!torn) PP_TRY(keep(std::move(*held)));
    }
    if (!torn && !until) {
        PP_LET(const auto tail, walker.classify());
        if (tail == log_walker::tail::damaged) return errc::damaged;
    }
    if (until && walker.position().seq() < until->seq()) return errc::log_lost;
    return flush();
}

result<void> account_store::state::rebuild_view(recovery_report& report, bool keep_old) {
    PP_LET(const auto there, segments_in(log_folder(), generation));
    if (there.empty() || there.front() != 1) return errc::log_lost;
    PP_LET(const auto header, read_segment_header(segment_path(log_folder(), generation, 1)));
    if (header.at.segment != 1) return errc::log_lost;
    const auto fresh_path = folder / "view.rebuild";
    {
        PP_LET(auto fresh, view_env::open(fresh_path, secrets.view, secrets.shred_check, options.view_map_bytes, true));
        {
            PP_LET(auto txn, open_txn::begin(*fresh, nullptr, 0));
            rows r(*fresh, txn.get());
            PP_TRY(view::store_applied(r, header.at.encode()));
            PP_TRY(view::store_counters(r, {}));
            PP_TRY(fresh->commit(txn.release()));
        }
        PP_TRY(replay(*fresh, std::nullopt, report));
        PP_TRY(fresh->sync());
    }
    // The old one is put aside only now, when its successor is whole.
    if (!keep_old) {
        PP_TRY(durable::unlink_file(view_path()));
    } else if (durable::exists(view_path())) {
        std::string aside;
        for (unsigned n = 1; aside.empty() || durable::exists(folder / aside); ++n)
            aside = "view.damaged-" + std::to_string(n);
        PP_TRY(durable::rename_file(view_path(), folder / aside));
        report.notes.push_back("the old view was kept as " + aside);
    }
    PP_TRY(durable::unlink_file(folder / "view-lock"));
    PP_TRY(durable::rename_file(fresh_path, view_path()));
    PP_TRY(durable::unlink_file(folder / "view.rebuild-lock"));
    PP_TRY(durable::unlink_file(suspect_path()));
    PP_TRY(durable::sync_directory(folder));
    PP_LET(env, view_env::open(view_path(), secrets.view, secrets.shred_check, options.view_map_bytes, false));
    report.view_rebuilt = true;
    return {};
}

// Index rows are not in the log: they are made again from the mails themselves.
result<void> account_store::state::rebuild_indexes(view_env& into, recovery_report& report) {
    {
        PP_LET(auto txn, open_txn::begin(into, nullptr, MDB_RDONLY));
        PP_LET(const auto n, view::load_counters(rows(into, txn.get())));
        if (!n.indexes_missing) return {};
    }
    constexpr std::size_t batch_mails = 256;
    std::uint64_t next = reindex_from, damaged = 0;
    for (bool more = true; more;) {
        struct made_index {
            std::uint64_t serial;
            std::string index;
            std::optional<std::string> listed;
        };
        std::vector<made_index> made;
        {
            PP_LET(auto txn, open_txn::begin(into, nullptr, MDB_RDONLY));
            const rows r(into, txn.get());
            more = false;
            const auto make_index = [&](bytes_view key, bytes_view plain) -> result<bool> {
                const auto serial = key_u64(key, 0);
                if (made.size() >= batch_mails) {
                    more = true;
                    next = serial;
                    return false;
                }
                PP_LET(const bool there, r.has(table::env, key));
                if (there) return true;
                PP_LET(const auto b, decode_blob(plain));
                mail::message_indexer indexer;
                const auto whole = [&]() -> result<void> {
                    PP_LET(auto blob_key, unwrap_blob_key(secrets.keys.shred_key, serial, b));
                    PP_LET(auto stored, open_stored(b));
                    PP_LET(const auto reader, make_blob_reader(std::move(stored), {b.id, std::move(blob_key),
                                                                                   b.plain_bytes, b.cipher_bytes}));
                    bytes piece(crypto::chunk_plain_bytes);
                    for (std::uint64_t at = 0; at < b.plain_bytes;) {
                        PP_LET(const auto n, reader->read(at, piece));
                        if (n == 0) return errc::damaged;
                        indexer.update(as_text(bytes_view(piece).first(n)));
                        at += n;
                    }
                    return {};
                }();
                auto index = indexer.finish();   // of what could be read
                auto listed = indexer.listed_header();
                if (!whole) {
                    if (whole.error() != errc::damaged) return failure{whole.error()};
                    ++damaged;
                    index = mail::index_message("");
                    index.size_bytes = b.plain_bytes;
                    listed.reset();
                }
                made.push_back({serial, index.encode(), std::move(listed)});
                return true;
            };
            PP_TRY(r.each(table::blob, {}, view::serial_key(next).view(), make_index));
        }
        for (;;) {
            PP_TRY(into.keep_room());
            const auto done = [&]() -> result<void> {
                PP_LET(auto txn, open_txn::begin(into, nullptr, 0));
                rows r(into, txn.get());
                for (const auto& m : made) PP_TRY(view::store_index(r, m.serial, m.index, m.listed));
                if (!more) {
                    PP_LET(auto n, view::load_counters(r));
                    n.indexes_missing = false;
                    PP_TRY(view::store_counters(r, n));
                }
                return into.commit(txn.release());
            }();
            if (done) break;
            if (done.error() != map_full()) return done;
            PP_TRY(into.grow());
        }
    }
    if (damaged > 0) report.notes.push_back(plural(damaged, "mail") + " could not be read any more");
    return {};
}

// Files nobody names: what was being written, and blobs whose commit never came or whose last row went. At the start
// only: later, as in heal(), they may be of mails that are about to be committed.
result<void> account_store::state::remove_leftovers(recovery_report& report) {
    for (const auto* name : {"blobs", "tmp", "incoming"}) PP_TRY(durable::make_directory(folder / name));
    for (const auto& name : durable::names_in(space->tmp())) PP_TRY(durable::unlink_file(space->tmp() / name));
    PP_LET(auto txn, open_txn::begin(*env, nullptr, MDB_RDONLY));
    const rows r(*env, txn.get());
    std::map<crypto::blob_id, std::filesystem::path> unnamed;
    for (const auto& shelf : durable::names_in(space->blobs()))
        for (const auto& name : durable::names_in(space->blobs() / shelf)) {
            const auto raw = crypto::from_hex(name);
            if (!raw) continue;   // not ours: left alone
            const auto id = crypto::blob_id::from(*raw);
            if (!id) continue;
            PP_LET(const auto serial, view::serial_of(r, *id));
            if (!serial) unnamed.emplace(*id, space->blobs() / shelf / name);
        }
    if (unnamed.empty()) return {};
    // That a row is missing proves nothing: a key that a flipped bit has changed is found by nobody. The rows of the
    // mails themselves decide, and only when every one of them authenticates.
    bool contradiction = false;
    const auto read = r.each(table::blob, {}, {}, [&](bytes_view, bytes_view plain) -> result<bool> {
        PP_LET(const auto b, decode_blob(plain));
        contradiction |= unnamed.contains(b.id);
        return !contradiction;
    });
    if (!read && read.error() != errc::damaged) return read;
    if (!read || contradiction) {
        note_suspect();   // the view is made again from the log, now or, when this is a healing, at the next start
        return {};
    }
    std::uint64_t removed = 0;
    for (const auto& [id, path] : unnamed) {
        PP_TRY(durable::unlink_file(path));
        ++removed;
    }
    if (removed > 0) report.notes.push_back(plural(removed, "file") + " of unfinished mails were removed");
    return {};
}

result<void> account_store::state::heal() {
    if (writable) return {};
    if (keys_in_doubt) return errc::read_only;
    PP_TRY(env->reopen());
    recovery_report ignored;
    if (recovery_pending) return catch_up(ignored, false);
    PP_TRY(settle());   // promised, and in memory only
    PP_TRY(replay(*env, durable_end, ignored));
    // What a failed write or sync left behind the promised end was refused to those who asked: it goes.
    PP_TRY(log.cut(durable_end));
    PP_TRY(rebuild_indexes(*env, ignored));
    writable = true;
    return {};
}

}  // namespace pp::storage

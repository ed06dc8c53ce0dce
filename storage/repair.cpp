// `check --repair`: what open() refuses to decide by itself. Nothing is deleted: what is damaged is moved into
// damaged-<n>/ of the account. UIDs and UIDVALIDITY stay.
//
//   view   log       what is done
//   whole  whole     nothing
//   bad    whole     the view is put aside; open() makes it again
//   whole  damaged   the view has everything: its state becomes a new generation of the log
//   bad    damaged   every entry that still opens is applied to an empty view, and that becomes the new generation
#include "storage/attempt.hpp"
#include "storage/generations.hpp"
#include "storage/new_generation.hpp"
#include "storage/plural.hpp"
#include "storage/salvage.hpp"
#include "storage/store_state.hpp"
#include "storage/strays.hpp"

namespace pp::storage {

namespace {

// Every row of every table authenticates.
result<void> read_all_rows(const view_env& env) {
    PP_LET(auto txn, open_txn::begin(env, nullptr, MDB_RDONLY));
    const rows r(env, txn.get());
    for (std::size_t i = 0; i < table_count; ++i) {
        const auto t = static_cast<table>(i);
        // fts: never salvaged, begun anew
        if (t == table::mod || t == table::msgid || t == table::doc || t == table::out_ref || t == table::fts)
            PP_TRY(r.each_key(t, {}, {}, [](bytes_view) -> result<bool> { return true; }));
        else
            PP_TRY(r.each(t, {}, {}, [](bytes_view, bytes_view) -> result<bool> { return true; }));
    }
    return {};
}
}  // namespace

// The view, when it can be trusted; else null. Errors that are no damage go up.
result<std::unique_ptr<view_env>> account_store::state::trusted_view() const {
    std::unique_ptr<view_env> none;
    const auto pages = check_view_structure(view_path(), structure_depth::whole, &secrets.view.hash_of_key);
    if (!pages && pages.error() == errc::no_access) return pages.error();
    if (!pages) return none;
    auto opened = view_env::open(view_path(), secrets.view, secrets.shred_check, options.view_map_bytes, false);
    if (!opened) {
        for (const auto none_of_ours : {errc::damaged, errc::not_found, errc::wrong_secret, errc::older_format})
            if (opened.error() == none_of_ours) return none;
        return opened.error();
    }
    if (pages->keys_sum != (*opened)->keys_sum()) return none;
    const auto at = position_of(**opened);
    if (!at || (generation != 0 && at->generation != generation) || !read_all_rows(**opened)) return none;
    return std::move(*opened);
}

// From the first frame to a tail that may be cut, and not before what the view has seen.
result<bool> account_store::state::log_is_whole(const view_env* view) const {
    PP_LET(const auto there, segments_in(log_folder(), generation));
    if (there.empty() || there.front() != 1) return false;
    for (const auto n : there) {   // a header may be damaged without the walk noticing: rebuilding reads all of them
        const auto header = read_segment_header(segment_path(log_folder(), generation, n));
        if (!header && header.error() == errc::no_access) return failure{header.error()};
        if (!header && n != there.back()) return false;
    }
    const auto header = read_segment_header(segment_path(log_folder(), generation, 1));
    if (!header && header.error() == errc::no_access) return failure{header.error()};
    if (!header) return false;
    log_walker walker(log_folder(), secrets.log, header->at);
    for (;;) {
        const auto group = walker.next();
        if (!group) {
            if (group.error() == errc::newer_format || group.error() == errc::no_access)
                return failure{group.error()};
            return false;
        }
        if (!*group) break;
    }
    PP_LET(const auto tail, walker.classify());
    if (tail == log_walker::tail::damaged) return false;
    if (!view) return true;
    PP_LET(const auto seen, position_of(*view));
    return walker.position().seq() >= seen.seq();
}

result<void> account_store::state::put_aside(const std::filesystem::path& what, const std::string& as,
                                             repair_report& report) {
    if (!durable::exists(what)) return {};
    if (report.kept_in.empty()) {
        unsigned n = 1;
        while (durable::exists(folder / ("damaged-" + std::to_string(n)))) ++n;
        report.kept_in = "damaged-" + std::to_string(n);
        PP_TRY(durable::make_directory(folder / report.kept_in));
    }
    PP_TRY(durable::rename_file(what, folder / report.kept_in / as));
    PP_TRY(durable::sync_directory(folder / report.kept_in));
    return durable::sync_directory(what.parent_path());
}

result<void> account_store::state::repair(repair_report& report) {
    for (const auto* name : {"log", "blobs", "tmp", "incoming"}) PP_TRY(durable::make_directory(folder / name));
    const auto found = find_generations(log_folder(), secrets.log);
    if (found) {
        generation = found->current;
        recovery_report ignored;
        PP_TRY(settle_generations(ignored));
    } else {
        if (found.error() != errc::damaged) return found.error();
        PP_LET(const auto all, generations_in(log_folder()));
        generation = all.empty() ? 0 : all.back();   // no header is left: the newest is ours or nobody's
    }
    PP_LET(env, trusted_view());
    if (!env && generation == 0) return errc::log_lost;
    if (generation == 0) {   // no log is left: the view says which one it was
        PP_LET(const auto seen, position_of(*env));
        generation = seen.generation;
    }
    PP_LET(const bool whole, log_is_whole(env.get()));
    if (whole) {
        if (env) {
            env.reset();
            return {};
        }
        PP_TRY(put_aside(view_path(), "view", report));
        report.done.push_back("the view could not be trusted; it was made again from the log");
        return {};
    }
    const auto salvaged_view = folder / "view.salvage";
    remove_salvage();
    std::uint64_t clock = 0;
    if (env) {
        PP_LET(const auto seen, position_of(*env));
        clock = seen.clock;
        // What the log still has behind the view, as far as it is whole.
        log_walker walker(log_folder(), secrets.log, seen);
        for (;;) {
            auto group = walker.next();
            if (!group && group.error() == errc::no_access) return group.error();
            if (!group || !*group) break;
            clock = (*group)->end.clock;
            std::vector<log_walker::group> one;
            one.push_back(std::move(**group));
            if (!apply_groups(one, *env, secrets.keys.shred_key)) break;
        }
        report.done.push_back("the log was damaged; everything the view knows was written to a new one");
    } else {
        PP_LET(const auto reached, scan_view_for_mailboxes(view_path(), secrets.view));
        PP_LET(env, view_env::open(salvaged_view, secrets.view, secrets.shred_check, options.view_map_bytes, true));
        {
            PP_LET(auto txn, open_txn::begin(*env, nullptr, 0));
            rows r(*env, txn.get());
            PP_TRY(view::store_counters(r, {}));
            PP_TRY(env->commit(txn.release()));
        }
        PP_LET(const auto saved,
               salvage_log(log_folder(), generation, secrets.log, secrets.keys.shred_key, *env, reached));
        clock = static_cast<std::uint64_t>(std::max<std::int64_t>(wall_clock_ms(), 0)) << 16;
        report.done.push_back("the log and the view were damaged; " + std::to_string(saved.entries) +
                              " entries of the log could be opened and were written to a new one");
        if (saved.entries == 0) report.lost.push_back("everything the log said: nothing of it can be opened");
        if (saved.missing_frames > 0)
            report.lost.push_back(plural(saved.missing_frames, "part") + " of the log: the changes in them are lost");
        if (saved.lost_mails > 0)
            report.lost.push_back(plural(saved.lost_mails, "mail") + " whose keys stood in a lost part of the log");
        if (saved.skipped_operations > 0)
            report.lost.push_back(plural(saved.skipped_operations, "change") +
                                  " of flags and places that spoke of something lost");
        if (saved.mailboxes_named_anew > 0)
            report.lost.push_back("the names of " + std::to_string(saved.mailboxes_named_anew) +
                                  " mailboxes; they are called Recovered now");
    }
    recovery_report ignored;
    PP_TRY(rebuild_indexes(*env, ignored));
    const auto number = generation + 1;
    PP_TRY(put_unnamed_blobs_aside(report));
    const auto written = write_generation(
        folder, number, {*env, secrets.keys.shred_key, [this](const blob_row& b) { return open_stored(b); }}, secrets,
        options, clock);
    env.reset();
    if (!written) {   // mostly a full disk, which what is half made must not keep full
        (void)remove_unfinished_generations(folder, 0);
        return written.error();
    }
    PP_TRY(install_generation(folder, number));   // from here on the new one counts
    PP_TRY(put_aside(log_folder() / std::to_string(generation), "log-" + std::to_string(generation), report));
    PP_TRY(put_aside(view_path(), "view", report));
    PP_TRY(durable::unlink_file(folder / "view-lock"));
    PP_TRY(durable::rename_file(view_of_generation(folder, number), view_path()));
    return durable::sync_directory(folder);
}

void account_store::state::remove_salvage() const {
    for (const auto* name : {"view.salvage", "view.salvage-lock"}) (void)durable::unlink_file(folder / name);
}

// Large mails whose rows are lost. The next start would take them for rests of unfinished ones and remove them; with an
// older copy of the log their keys may come back.
result<void> account_store::state::put_unnamed_blobs_aside(repair_report& report) {
    std::vector<std::filesystem::path> unnamed;
    {
        PP_LET(auto txn, open_txn::begin(*env, nullptr, MDB_RDONLY));
        const rows r(*env, txn.get());
        PP_LET(const auto shelves, durable::list_names(space->blobs()));
        for (const auto& shelf : shelves) {
            PP_LET(const auto names, durable::list_names(space->blobs() / shelf));
            for (const auto& name : names) {
                const auto raw = crypto::from_hex(name);
                if (!raw) continue;
                const auto id = crypto::blob_id::from(*raw);
                if (!id) continue;
                PP_LET(const auto serial, view::serial_of(r, *id));
                if (!serial) unnamed.push_back(space->blobs() / shelf / name);
            }
        }
    }
    for (const auto& path : unnamed) PP_TRY(put_aside(path, path.filename().string(), report));
    if (!unnamed.empty())
        report.done.push_back(plural(unnamed.size(), "file") + " of large mails that nothing names any more " +
                              (unnamed.size() == 1 ? "was" : "were") + " put aside");
    return {};
}

result<void> account_store::state::put_strays_aside(repair_report& report) {
    constexpr std::size_t strays_max = 10000;
    const auto found = find_generations(log_folder(), secrets.log);
    if (!found) return {};
    generation = found->current;
    std::size_t n = 0;
    for (const auto& path : stray_files(folder, generation, strays_max))
        PP_TRY(put_aside(folder / path, "stray-" + std::to_string(++n), report));
    if (n > 0)
        report.done.push_back(plural(n, "file") + " that " + (n == 1 ? "is" : "are") + " not of this store " +
                              (n == 1 ? "was" : "were") + " put aside");
    return {};
}

result<repair_report> account_store::repair(const std::filesystem::path& folder, account_keys keys,
                                            storage_options options) {
    if (!durable::exists(folder)) return errc::not_found;
    repair_report report;
    state s(folder, std::move(keys), options);
    const auto repaired = s.repair(report);
    s.env.reset();
    s.remove_salvage();
    PP_TRY(repaired);
    PP_TRY(s.put_strays_aside(report));
    return report;
}

}  // namespace pp::storage

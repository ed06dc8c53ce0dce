// Deleting means deleted (03-storage 3.4.4, D9). Log entries and view pages keep what was deleted, sealed; shredding
// destroys what opens them: the live state becomes a new generation under fresh keys, the keyring is replaced, and only
// then what the old keys opened is removed.
//
//   build log.new/<n> and view.<n>  ->  log.new/<n> becomes log/<n>  ->  keyring replaced  ->  view.<n> becomes view,
//   the old generation goes
//
// A cut anywhere leaves a store that one of the two keyrings opens whole: see find_generations().
#include "storage/attempt.hpp"
#include "storage/new_generation.hpp"
#include "storage/store_state.hpp"

namespace pp::storage {

result<void> account_store::state::move_to_generation(std::uint64_t number, const log_position& end, account_keys fresh,
                                                      const std::filesystem::path& old_view_to) {
    // Until the new log is open nothing may be appended: the old one is what would get it.
    writable = false;
    bool moved = false;
    const auto swapped = env->replace([&]() -> result<void> {
        PP_TRY(old_view_to.empty() ? durable::unlink_file(view_path())
                                   : durable::rename_file(view_path(), old_view_to));
        PP_TRY(durable::unlink_file(folder / "view-lock"));
        PP_TRY(durable::rename_file(view_of_generation(folder, number), view_path()));
        PP_TRY(durable::sync_directory(folder));
        secrets = store_secrets(std::move(fresh));
        generation = number;
        durable_end = end;
        moved = true;
        const std::lock_guard hold(segments_mutex);
        open_segments.clear();
        return {};
    }, secrets.shred_check);
    keys_in_doubt = !moved;
    PP_TRY(swapped);
    PP_TRY(log.open(end));   // this and the view: heal() tries again
    writable = true;
    return {};
}

result<void> account_store::state::shred(const std::function<result<void>(const account_keys&)>& keep) {
    if (!writable || recovery_pending) return errc::read_only;
    const std::unique_lock alone(upkeep);
    PP_TRY(settle());   // what is written anew is what the view's file has
    auto fresh = secrets.keys.clone();
    fresh.log_key = crypto::random<crypto::row_key>();
    fresh.shred_key = crypto::random<crypto::row_key>();
    const store_secrets next(fresh.clone());
    const auto number = generation + 1;
    const auto opener = [this](const blob_row& b) { return open_stored(b); };
    const auto built = write_generation(folder, number, {*env, secrets.keys.shred_key, opener}, next, options,
                                        durable_end.clock);
    if (!built) {
        (void)remove_unfinished_generations(folder, 0);
        return built.error();
    }
    if (const auto installed = install_generation(folder, number); !installed) {
        // else the next start does: no key opens it
        (void)durable::remove_tree(log_folder() / std::to_string(number));
        (void)remove_unfinished_generations(folder, 0);
        return installed;
    }
    if (const auto kept = keep(fresh); !kept) {
        // Which keys are in the keyring now is not known; nothing may be added under either before a start has looked.
        writable = false;
        keys_in_doubt = true;
        return kept;
    }
    PP_TRY(move_to_generation(number, *built, std::move(fresh), {}));
    return remove_other_generations();
}

// Also what damage has put aside: it belongs to keys that are gone.
result<void> account_store::state::remove_other_generations() {
    PP_LET(const auto logs, durable::list_names(log_folder()));
    for (const auto& name : logs)
        if (name != std::to_string(generation)) PP_TRY(durable::remove_tree(log_folder() / name));
    PP_LET(const auto names, durable::list_names(folder));
    for (const auto& name : names)
        if (name.starts_with("view.damaged-") || name.starts_with("damaged-"))
            PP_TRY(durable::remove_tree(folder / name));
    PP_TRY(durable::sync_directory(log_folder()));
    return durable::sync_directory(folder);
}

result<void> account_store::shred(const std::function<result<void>(const account_keys&)>& keep) {
    return state_->shred(keep);
}

}  // namespace pp::storage

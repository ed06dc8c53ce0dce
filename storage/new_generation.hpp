// A new generation of the log: the live state of a view written as its first entries, and a view that stands at their
// end (storage/FORMAT.md, "Generation"). What was deleted is not in it. Used to shred (under fresh keys) and to repair
// a log that is damaged (under the same). Nothing of the generation before is touched.
#pragma once

#include "storage/blob_files.hpp"
#include "storage/frame.hpp"
#include "storage/view.hpp"

#include <functional>

namespace pp::storage {

// Everything derived from an account's keys.
struct store_secrets {
    explicit store_secrets(account_keys k);
    account_keys keys;
    log_keys log;
    view_keys view;
    bytes shred_check;      // tells a wrong shred key from a damaged view
};

struct generation_source {
    const view_env& env;
    const crypto::row_key& shred_key;
    std::function<result<stored_blob>(const blob_row&)> open_stored;
};

// Where a generation is built, beside the ones in use; and what the view of generation n is called until it is in use.
std::filesystem::path generation_under_way(const std::filesystem::path& account_folder);
std::filesystem::path view_of_generation(const std::filesystem::path& account_folder, std::uint64_t n);

// Builds it in those two places, durably. The end of its log. errc::full, errc::io_error, errc::damaged (a row).
result<log_position> write_generation(const std::filesystem::path& account_folder, std::uint64_t number,
                                      const generation_source& from, const store_secrets& to,
                                      const storage_options& options, std::uint64_t clock);
// Its log becomes one of the account's: from here on the next start takes it up when the keys fit.
result<void> install_generation(const std::filesystem::path& account_folder, std::uint64_t number);

// What a build that was cut off has left; also views of generations that are not `current`.
result<void> remove_unfinished_generations(const std::filesystem::path& account_folder, std::uint64_t current);

}  // namespace pp::storage

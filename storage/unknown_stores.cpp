#include "storage/unknown_stores.hpp"

#include "storage/account_store.hpp"
#include "storage/attempt.hpp"
#include "storage/durable.hpp"

#include <algorithm>

namespace pp::storage {

namespace {
constexpr std::string_view unfinished = "unfinished";
}

result<void> mark_unfinished(const std::filesystem::path& account_folder) {
    std::error_code failed;
    std::filesystem::create_directories(account_folder.parent_path(), failed);   // what is wrong, the next step says
    PP_TRY(durable::make_directory(account_folder));
    PP_TRY(durable::open_file(account_folder / unfinished, durable::mode::create_or_truncate));
    PP_TRY(durable::sync_directory(account_folder));
    return durable::sync_directory(account_folder.parent_path());
}

void mark_finished(const std::filesystem::path& account_folder) {
    (void)durable::unlink_file(account_folder / unfinished);
}

result<std::vector<std::string>> unknown_stores(const home_paths& home, const std::vector<std::string>& known) {
    std::vector<std::string> out;
    PP_LET(const auto names, durable::list_names(home.root / "accounts"));
    for (const auto& name : names) {
        const auto folder = home.account(name);
        if (std::find(known.begin(), known.end(), name) == known.end() && has_store(folder) &&
            !durable::exists(folder / unfinished))
            out.push_back(name);
    }
    return out;
}

}  // namespace pp::storage

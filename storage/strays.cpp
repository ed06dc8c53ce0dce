#include "storage/strays.hpp"

#include "crypto/keys.hpp"
#include "storage/durable.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace pp::storage {

namespace {
// Everything the store makes in an account's folder: FORMAT.md, "What stands on disk".
constexpr std::array own_names = {"log",        "blobs",      "tmp",          "incoming",     "view",
                                  "view-lock",  "view.clean", "view.attempt", "view.suspect", "view.rebuild",
                                  "view.rebuild-lock", "log.new", "unfinished"};
constexpr std::array own_prefixes = {"view.damaged-", "damaged-"};

// Of a shred that failed and could not even clean up behind itself: the next start does (new_generation.hpp).
bool is_of_a_generation(std::string_view name) {
    if (!name.starts_with("view.")) return false;
    name.remove_prefix(5);
    if (name.ends_with("-lock")) name.remove_suffix(5);
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}
bool is_own(const std::string& name) {
    return is_of_a_generation(name) || std::find(own_names.begin(), own_names.end(), name) != own_names.end() ||
           std::any_of(own_prefixes.begin(), own_prefixes.end(), [&](const char* p) { return name.starts_with(p); });
}
bool is_segment(const std::string& name) {
    return name.size() > 4 && name.ends_with(".seg") &&
           std::all_of(name.begin(), name.end() - 4, [](char c) { return c >= '0' && c <= '9'; });
}
bool is_blob(const std::string& shelf, const std::string& name) {
    const auto raw = crypto::from_hex(name);
    return raw && crypto::blob_id::from(*raw) && name.starts_with(shelf);
}
}  // namespace

std::vector<std::string> stray_files(const std::filesystem::path& folder, std::uint64_t generation, std::size_t most) {
    std::vector<std::string> out;
    const auto tell = [&](const std::filesystem::path& path) {
        if (out.size() < most) out.push_back(path.lexically_relative(folder).string());
    };
    for (const auto& name : durable::names_in(folder))
        if (!is_own(name)) tell(folder / name);
    const auto log = folder / "log";
    for (const auto& name : durable::names_in(log))
        if (name != std::to_string(generation) && name != std::to_string(generation + 1) && !name.starts_with("cut-"))
            tell(log / name);
    for (const auto& name : durable::names_in(log / std::to_string(generation)))
        if (!is_segment(name)) tell(log / std::to_string(generation) / name);
    for (const auto& shelf : durable::names_in(folder / "blobs")) {
        const auto inside = durable::names_in(folder / "blobs" / shelf);
        if (shelf.size() != 2 || !crypto::from_hex(shelf)) {
            tell(folder / "blobs" / shelf);
            continue;
        }
        for (const auto& name : inside)
            if (!is_blob(shelf, name)) tell(folder / "blobs" / shelf / name);
    }
    return out;
}

}  // namespace pp::storage

#include "storage/generations.hpp"

#include "storage/attempt.hpp"
#include "storage/log_file.hpp"
#include "storage/log_walker.hpp"

#include <charconv>

namespace pp::storage {

namespace {
enum class belongs { to_us, to_others, unknown };

result<belongs> look(const std::filesystem::path& log_folder, std::uint64_t generation, const log_keys& keys) {
    PP_LET(const auto there, segments_in(log_folder, generation));
    for (const auto n : there) {
        const auto header = read_segment_header(segment_path(log_folder, generation, n));
        if (!header) {
            if (header.error() == errc::newer_format || is_of_the_system(header.error())) return header.error();
            continue;   // damaged, or torn while it was made: another one will tell
        }
        if (header->discovery != keys.discovery.data) return belongs::to_others;
        return crypto::equal_constant_time(header->log_key_check, keys.check) ? belongs::to_us : belongs::to_others;
    }
    return belongs::unknown;
}

struct folders {
    std::vector<std::uint64_t> with_segments, without;   // rising
};
result<folders> numbered_folders(const std::filesystem::path& log_folder) {
    folders out;
    PP_LET(const auto names, durable::list_names(log_folder));
    for (const auto& name : names) {
        std::uint64_t n = 0;
        const auto* end = name.data() + name.size();
        const auto [rest, ec] = std::from_chars(name.data(), end, n);
        if (ec != std::errc() || rest != end || n == 0) continue;
        PP_LET(const auto segments, segments_in(log_folder, n));
        (segments.empty() ? out.without : out.with_segments).push_back(n);
    }
    std::sort(out.with_segments.begin(), out.with_segments.end());
    std::sort(out.without.begin(), out.without.end());
    return out;
}
}  // namespace

result<std::vector<std::uint64_t>> generations_in(const std::filesystem::path& log_folder) {
    PP_LET(const auto all, numbered_folders(log_folder));
    return all.with_segments;
}

result<generations> find_generations(const std::filesystem::path& log_folder, const log_keys& keys) {
    generations out;
    bool others = false;
    PP_LET(auto all, numbered_folders(log_folder));
    out.emptied = std::move(all.without);
    for (auto n = all.with_segments.rbegin(); n != all.with_segments.rend(); ++n) {
        PP_LET(const auto whose, look(log_folder, *n, keys));
        if (whose == belongs::to_us && out.current == 0)
            out.current = *n;
        else if (whose == belongs::to_us || whose == belongs::unknown)
            out.older.push_back(*n);
        else
            out.unreadable.push_back(*n);
        others |= whose == belongs::to_others;
    }
    if (out.current == 0) return others ? errc::wrong_secret : errc::damaged;
    return out;
}

}  // namespace pp::storage

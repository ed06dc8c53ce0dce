// Generations of a log: which one the keys at hand belong to, and what the others are. Only headers are read.
#pragma once

#include "storage/frame.hpp"

#include <filesystem>

namespace pp::storage {

struct generations {
    std::uint64_t current = 0;
    std::vector<std::uint64_t> older;        // opened by the same keys: a repair was cut off before it put them aside
    std::vector<std::uint64_t> unreadable;   // of other keys: before a shred, or a shred that was cut off
    std::vector<std::uint64_t> emptied;      // folders without a segment: their removal was cut off
};

// Numbers of all generations that have a segment, rising.
result<std::vector<std::uint64_t>> generations_in(const std::filesystem::path& log_folder);

// The newest generation of these keys. errc::wrong_secret when only other keys have written here, errc::damaged when no
// segment header can be read, errc::newer_format, errc::io_error, errc::no_access.
result<generations> find_generations(const std::filesystem::path& log_folder, const log_keys& keys);

}  // namespace pp::storage

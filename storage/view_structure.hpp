// Is the view's file one that LMDB can walk without leaving its pages? LMDB trusts every pointer in its file: a flipped
// bit in a branch page ends the process. So the file is checked by reading it, before it is mapped.
#pragma once

#include "crypto/bytes.hpp"
#include "storage/error.hpp"
#include "storage/key_sum.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace pp::storage {

enum class structure_depth {
    roots,   // both meta pages, the list of tables, the first page of each: a few dozen reads
    whole,   // every page that can be reached, the free list, the counts; reads the file once
};

struct structure_report {
    std::uint64_t pages = 0;        // looked at
    std::uint64_t file_bytes = 0;
    std::optional<std::uint64_t> keys_sum;   // when all pages were looked at and a hash was given
};

// errc::damaged (LMDB must not see this file), errc::not_found, errc::io_error. Writes nothing.
result<structure_report> check_view_structure(const std::filesystem::path& path, structure_depth how,
                                              const key_hash* hash = nullptr);

// What the newest meta page's list of free pages names: nothing that counts stands there. errc::damaged when that list
// cannot be read whole.
result<std::vector<std::uint64_t>> free_pages_of_view(const std::filesystem::path& path);

// SHA-256 over the file's length and its two meta pages, which name everything else: equal for a view that nobody has
// written to in between. Same errors.
result<bytes> view_fingerprint(const std::filesystem::path& path);

}  // namespace pp::storage

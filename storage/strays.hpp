// Files in an account's folder that the store did not put there.
#pragma once

#include "crypto/bytes.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace pp::storage {

// Paths relative to the folder, at most `most`. Not looked into:
// tmp/, incoming/ (emptied at start) and what repair put aside.
std::vector<std::string> stray_files(const std::filesystem::path& account_folder, std::uint64_t generation,
                                     std::size_t most);

}  // namespace pp::storage

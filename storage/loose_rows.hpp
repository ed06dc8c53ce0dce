// The rows of a damaged LMDB file, page by page and without its trees: whoever reads them must be able to tell by the
// rows' own seals which of them are what they say.
#pragma once

#include "crypto/bytes.hpp"

#include <filesystem>
#include <functional>

namespace pp::storage {

using loose_row_visitor = std::function<void(bytes_view key, bytes_view value)>;

// Whatever looks like a row anywhere in the file, also what was deleted or written anew long ago. False: the file
// cannot be read at all.
bool each_loose_row(const std::filesystem::path& path, const loose_row_visitor& visit);

// The rows that leaf pages name, in pages that are not known to be free. When the list of free pages cannot be read,
// earlier versions of rows are among them. False: the file cannot be read at all.
bool each_row_in_use(const std::filesystem::path& path, const loose_row_visitor& visit);

}  // namespace pp::storage

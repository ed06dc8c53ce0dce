// What a damaged index still has (storage/relay/recovery.hpp).
#pragma once

#include "storage/relay/recovery.hpp"

namespace pp::storage::relay {

// Into an index that is new. errc::io_error: the damaged one cannot be read; errc::full, ...
result<void> salvage_index(const std::filesystem::path& damaged, const index_keys& keys, index& into,
                           recovery_report& report);

}  // namespace pp::storage::relay

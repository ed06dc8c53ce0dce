// Gives back the memory that reading has taken: the pages of a view that is mapped count as the daemon's, and after a
// client - or the full-text indexer - has gone through a million mails they are more than a gigabyte.
#pragma once

#include "daemon/services/store_writer.hpp"

#include <map>

namespace pp::services {

// So few rows read since the last time are not worth it.
inline constexpr std::uint64_t mapped_rows_min = 1000;

class mapped_pages {
public:
    explicit mapped_pages(store_writer& writer) : writer_(writer) {}
    // From time to time, a minute apart, say. True: this store's pages are let go of at the writer's next idle moment.
    // They stay in the system's cache: whoever reads on pays a page fault for sixteen of them.
    bool look(storage::account_store& store);

private:
    store_writer& writer_;
    std::map<const storage::account_store*, std::uint64_t> released_;   // rows read by then
};

}  // namespace pp::services

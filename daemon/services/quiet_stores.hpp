// Gives back the memory that reading has taken, once nobody reads: the pages of a view that is mapped count as the
// daemon's, and after a client has gone through 100 000 mails they are 200 MB that nobody needs.
#pragma once

#include "daemon/services/store_writer.hpp"

#include <map>

namespace pp::services {

// A store is quiet when fewer rows than this were read since the last look; and as few are not worth letting go of.
inline constexpr std::uint64_t quiet_rows_max = 1000;

class quiet_stores {
public:
    explicit quiet_stores(store_writer& writer) : writer_(writer) {}
    // From time to time, a minute apart, say. True: this store's memory is given back when the writer is idle.
    bool look(storage::account_store& store);

private:
    struct reads {
        std::uint64_t last = 0, released = 0;
    };
    store_writer& writer_;
    std::map<const storage::account_store*, reads> stores_;
};

}  // namespace pp::services

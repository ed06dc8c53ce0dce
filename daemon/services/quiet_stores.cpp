#include "daemon/services/quiet_stores.hpp"

#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace pp::services {

bool quiet_stores::look(storage::account_store& store) {
    auto& known = stores_[&store];
    const auto now = store.rows_read();
    const auto since = now - std::exchange(known.last, now);
    if (since >= quiet_rows_max || now - known.released < quiet_rows_max) return false;
    known.released = now;
    writer_.submit_when_idle(store, [&store] {
        auto done = store.release_memory();
#ifdef __GLIBC__
        malloc_trim(0);
#endif
        return done;
    });
    return true;
}

}  // namespace pp::services

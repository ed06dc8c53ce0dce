#include "daemon/services/mapped_pages.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace pp::services {

bool mapped_pages::look(storage::account_store& store) {
    auto& released = released_[&store];
    const auto now = store.rows_read();
    if (now - released < mapped_rows_min) return false;
    released = now;
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

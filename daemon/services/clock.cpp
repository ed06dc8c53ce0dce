#include "daemon/services/clock.hpp"

#include <ctime>

namespace pp::services {

storage::unix_ms now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::chrono::milliseconds since_boot() {
#ifdef CLOCK_BOOTTIME
    timespec t{};
    if (::clock_gettime(CLOCK_BOOTTIME, &t) == 0)
        return std::chrono::milliseconds(std::int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1000000);
#endif
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace pp::services

#include "daemon/services/clock.hpp"

#include <chrono>

namespace pp::services {

storage::unix_ms now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace pp::services

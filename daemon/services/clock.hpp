// Wall time: the one place where daemon code reads it. Everything below is given the time.
#pragma once

#include "proto/peer/messages.hpp"
#include "storage/records.hpp"

#include <chrono>

namespace pp::services {

storage::unix_ms now_ms();
inline peer::unix_s now_s() { return now_ms() / 1000; }
// Since the machine began, with the time that it slept: nobody sets it.
std::chrono::milliseconds since_boot();

}  // namespace pp::services

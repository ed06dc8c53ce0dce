// Wall time: the one place where daemon code reads it. Everything below is given the time.
#pragma once

#include "proto/peer/messages.hpp"
#include "storage/records.hpp"

namespace pp::services {

storage::unix_ms now_ms();
inline peer::unix_s now_s() { return now_ms() / 1000; }

}  // namespace pp::services

// How a notification is named in logs: its first bytes tell two apart.
#pragma once

#include "crypto/bytes.hpp"
#include "storage/records.hpp"

namespace pp::net {

inline std::string short_id(const storage::id16& id) { return crypto::hex(bytes_view(id).first(4)); }

}  // namespace pp::net

// The C libraries speak unsigned char: one name for the cast, inside this box only.
#pragma once

#include "crypto/bytes.hpp"

namespace pp::crypto {

inline const unsigned char* raw(bytes_view data) { return reinterpret_cast<const unsigned char*>(data.data()); }
inline unsigned char* raw_out(mutable_bytes_view data) { return reinterpret_cast<unsigned char*>(data.data()); }

}  // namespace pp::crypto

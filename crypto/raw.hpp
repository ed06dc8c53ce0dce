// The C libraries speak unsigned char: one name for the cast, inside this box only.
#pragma once

#include "crypto/bytes.hpp"

namespace pp::crypto {

// Never null, not even of nothing: memcpy behind these libraries must not be given null, also not with size 0.
inline const unsigned char* raw(bytes_view data) {
    static constexpr unsigned char nothing = 0;
    return data.data() ? reinterpret_cast<const unsigned char*>(data.data()) : &nothing;
}
inline unsigned char* raw_out(mutable_bytes_view data) { return reinterpret_cast<unsigned char*>(data.data()); }

}  // namespace pp::crypto

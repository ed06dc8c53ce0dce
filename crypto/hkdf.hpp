// The two halves of HKDF-SHA256 (RFC 5869 section 2), for HPKE, which labels each of them by itself.
#pragma once

#include "crypto/primitives.hpp"

#include <initializer_list>

namespace pp::crypto {

using pseudorandom_key = secret_bytes<struct pseudorandom_key_tag, 32>;

inline constexpr std::size_t hkdf_output_bytes_max = 255 * 32;   // RFC 5869 section 2.3

// The parts are taken one after the other, as one string.
pseudorandom_key hkdf_extract(bytes_view salt, std::initializer_list<bytes_view> key_parts);
void hkdf_expand(const pseudorandom_key& key, std::initializer_list<bytes_view> info_parts, mutable_bytes_view out);

}  // namespace pp::crypto

// Byte views and the text forms of bytes. No allocation hidden in a view; every decoder says what is wrong.
#pragma once

#include "crypto/error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pp {

using bytes = std::vector<std::byte>;
using bytes_view = std::span<const std::byte>;
using mutable_bytes_view = std::span<std::byte>;

inline bytes_view as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(bytes_view data) { return {reinterpret_cast<const char*>(data.data()), data.size()}; }
inline bytes to_bytes(std::string_view text) { const auto view = as_bytes(text); return {view.begin(), view.end()}; }
inline bytes to_bytes(bytes_view view) { return {view.begin(), view.end()}; }

}  // namespace pp

namespace pp::crypto {

std::string hex(bytes_view data);                       // lower case
result<bytes> from_hex(std::string_view text);          // errc::bad_text on odd length or a foreign character

std::string base32(bytes_view data);                    // RFC 4648 section 6, lower case, no padding
result<bytes> from_base32(std::string_view text);       // takes both cases; unused bits must be zero

std::string base64(bytes_view data);                    // RFC 4648 section 4, with padding
result<bytes> from_base64(std::string_view text);       // strict: padding required, no white space

std::string base64url(bytes_view data);                 // RFC 4648 section 5, no padding
result<bytes> from_base64url(std::string_view text);

}  // namespace pp::crypto

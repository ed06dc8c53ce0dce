// Which keys a view has, as one number: the sum, modulo 2^64, of a keyed hash of each of them. A row's seal binds its
// value to its key, so a row under a wrong key is refused when it is met; but a row whose key has moved to where nobody
// asks is not met, and a row that is only a key has no seal. Each commit carries the sum along (view_env::commit), and
// what reads all pages before LMDB maps them (storage/view_structure.hpp) takes it again.
//
// It finds damage, also such as somebody without the store key does on purpose. It does not find a file that was put
// back whole from an earlier time: the log does.
#pragma once

#include "crypto/keys.hpp"

#include <cstdint>
#include <string_view>

namespace pp::storage {

class key_hash {
public:
    explicit key_hash(bytes_view store_key);
    // What one key adds to the sum: SipHash-2-4 over the table's name, a zero and the key.
    std::uint64_t operator()(std::string_view table, bytes_view key) const;

private:
    crypto::secret_bytes<struct key_hash_tag, 16> key_;
};

}  // namespace pp::storage

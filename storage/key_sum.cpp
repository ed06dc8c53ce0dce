#include "storage/key_sum.hpp"

#include "crypto/primitives.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

namespace pp::storage {

namespace {
constexpr std::size_t hashed_bytes_max = 16 + 1 + 511;   // a table's name; the longest key LMDB keeps
}

key_hash::key_hash(bytes_view store_key)
    : key_(crypto::derive<crypto::secret_bytes<struct key_hash_tag, 16>>(store_key, "peerpost view key sum 1")) {
    static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);
}

std::uint64_t key_hash::operator()(std::string_view table, bytes_view key) const {
    std::array<unsigned char, hashed_bytes_max> in;
    const auto name_bytes = std::min<std::size_t>(table.size(), 16);
    const auto key_bytes = std::min(key.size(), in.size() - name_bytes - 1);
    auto* end = std::copy_n(reinterpret_cast<const unsigned char*>(table.data()), name_bytes, in.data());
    *end++ = 0;
    end = std::copy_n(reinterpret_cast<const unsigned char*>(key.data()), key_bytes, end);
    std::array<unsigned char, crypto_shorthash_BYTES> out;
    crypto_shorthash(out.data(), in.data(), static_cast<unsigned long long>(end - in.data()),
                     reinterpret_cast<const unsigned char*>(key_.view().data()));
    std::uint64_t sum = 0;
    for (const auto byte : out) sum = sum << 8 | byte;
    return sum;
}

}  // namespace pp::storage

// The unpredictable numbers of one node: keyed BLAKE2b over a counter, from a seed given at its making. The machine has
// no randomness of its own; a test that gives the same seed sees the same datagrams.
#pragma once

#include "crypto/primitives.hpp"

#include <algorithm>

namespace pp::dht {

using dice_seed = crypto::secret_bytes<struct dice_seed_tag, 32>;

class dice {
public:
    explicit dice(dice_seed seed) : seed_(std::move(seed)) {}

    template <class T>
    T bytes_of() {   // for fixed_bytes of at most 32 bytes
        static_assert(T::size_bytes <= crypto::hash256::size_bytes);
        const auto block = next();
        T out;
        std::copy_n(block.data.begin(), out.data.size(), out.data.begin());
        return out;
    }
    std::uint64_t number() {
        std::uint64_t out = 0;
        const auto block = next();
        for (std::size_t i = 0; i < 8; ++i) out = out << 8 | std::to_integer<std::uint64_t>(block.data[i]);
        return out;
    }
    double fraction() { return static_cast<double>(number() >> 11) * 0x1p-53; }   // 0 <= x < 1
    crypto::hash256 next() {
        std::array<std::byte, 8> counter;
        for (std::size_t i = 0; i < 8; ++i) counter[i] = static_cast<std::byte>(count_ >> (56 - 8 * i));
        ++count_;
        return crypto::blake2b_keyed(seed_.view(), counter);
    }

private:
    dice_seed seed_;
    std::uint64_t count_ = 0;
};

}  // namespace pp::dht

// Proof of work: Argon2id over a task, so that asking for something costs memory and time, and is worth something for
// that task only. Who sets the task binds into it all that it may be used for. Solving and checking take time: never on
// a network thread.
#pragma once

#include "crypto/primitives.hpp"

#include <functional>
#include <optional>

namespace pp::crypto::work {

inline constexpr std::uint32_t memory_kib = 16 * 1024;   // one pass, one lane: a check takes about 10 ms
inline constexpr std::uint8_t bits_max = 20;             // more is nobody's honest wish: three hours
inline constexpr std::size_t salt_bytes = 16;

// Right when Argon2id(task | solution u64, salt) begins with `bits` zero bits.
// False also when the memory cannot be had.
bool is_solved(bytes_view task, bytes_view salt16, std::uint8_t bits, std::uint64_t solution);
// 2^bits tries on average; nullopt when go_on() says so first (asked before each try), or bits is above bits_max.
std::optional<std::uint64_t> solve(bytes_view task, bytes_view salt16, std::uint8_t bits,
                                   const std::function<bool()>& go_on);

}  // namespace pp::crypto::work

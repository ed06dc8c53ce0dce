#include "crypto/work.hpp"

#include "crypto/password.hpp"

#include <bit>

namespace pp::crypto::work {

namespace {

unsigned leading_zero_bits(bytes_view hash) {
    unsigned bits = 0;
    for (const auto b : hash) {
        bits += static_cast<unsigned>(std::countl_zero(static_cast<std::uint8_t>(b)));
        if (b != std::byte{0}) break;
    }
    return bits;
}

}  // namespace

bool is_solved(bytes_view task, bytes_view salt16, std::uint8_t bits, std::uint64_t solution) {
    if (bits > bits_max) return false;
    auto password = to_bytes(task);
    for (int shift = 56; shift >= 0; shift -= 8) password.push_back(static_cast<std::byte>(solution >> shift));
    const auto hash = stretch_passphrase(as_text(password), salt16, {1, memory_kib});
    return hash && leading_zero_bits(hash->view()) >= bits;
}

std::optional<std::uint64_t> solve(bytes_view task, bytes_view salt16, std::uint8_t bits,
                                   const std::function<bool()>& go_on) {
    if (bits > bits_max) return std::nullopt;
    for (auto solution = random_u64(); go_on(); ++solution)
        if (is_solved(task, salt16, bits, solution)) return solution;
    return std::nullopt;
}

}  // namespace pp::crypto::work

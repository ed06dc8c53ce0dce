#include "proto/relay/work.hpp"

#include "crypto/password.hpp"
#include "proto/wire/byte_writer.hpp"

#include <bit>

namespace pp::relay {

namespace {
constexpr std::string_view work_name = "peerpost relay work v1";

unsigned leading_zero_bits(bytes_view hash) {
    unsigned bits = 0;
    for (const auto b : hash) {
        bits += static_cast<unsigned>(std::countl_zero(static_cast<std::uint8_t>(b)));
        if (b != std::byte{0}) break;
    }
    return bits;
}
}  // namespace

bool is_solved(const work& w, std::uint64_t solution) {
    if (w.bits > work_bits_max) return false;
    wire::byte_writer password;
    password.raw(work_name).u8(0).fixed(w.slot).u8(static_cast<std::uint8_t>(w.purpose)).fixed(w.content).u64(solution);
    const auto hash = crypto::stretch_passphrase(as_text(password.view()), w.nonce, {1, work_memory_kib});
    return hash && leading_zero_bits(hash->view()) >= w.bits;
}

std::optional<std::uint64_t> solve(const work& w, const std::function<bool()>& go_on) {
    if (w.bits > work_bits_max) return std::nullopt;
    for (auto solution = crypto::random_u64(); go_on(); ++solution)
        if (is_solved(w, solution)) return solution;
    return std::nullopt;
}

}  // namespace pp::relay

// CRC-32C (Castagnoli; RFC 3720 appendix B.4 has values). Frame headers are short, so a table of one byte is enough.
#include "crypto/primitives.hpp"

namespace pp::crypto {

namespace {

constexpr std::uint32_t polynomial_reflected = 0x82f63b78;

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? polynomial_reflected : 0);
        table[i] = value;
    }
    return table;
}

constexpr auto table = make_table();

}  // namespace

std::uint32_t crc32c(bytes_view data) {
    std::uint32_t value = 0xffffffff;
    for (const auto b : data) value = (value >> 8) ^ table[(value ^ std::to_integer<std::uint32_t>(b)) & 0xff];
    return ~value;
}

}  // namespace pp::crypto

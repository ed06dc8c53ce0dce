#include "proto/dht/node_id.hpp"

#include "crypto/primitives.hpp"

#include <bit>

namespace pp::dht {
namespace {

// BEP 42: CRC-32C over the masked front of the address, with the low three bits of r on top.
constexpr std::array<std::uint8_t, 4> mask_ipv4 = {0x03, 0x0f, 0x3f, 0xff};
constexpr std::array<std::uint8_t, 8> mask_ipv6 = {0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff};

std::uint32_t id_prefix(bytes_view address, std::byte r) {
    std::array<std::byte, 8> masked;
    const bool ipv4 = address.size() == address_bytes(family::ipv4);
    const std::size_t length = ipv4 ? mask_ipv4.size() : mask_ipv6.size();
    for (std::size_t i = 0; i < length; ++i) masked[i] = address[i] & std::byte{ipv4 ? mask_ipv4[i] : mask_ipv6[i]};
    masked[0] |= (r & std::byte{7}) << 5;
    return crypto::crc32c(bytes_view(masked).first(length));
}

// Of the 32 bits of the hash an id carries the first 21.
constexpr std::byte third_byte_mask{0xf8};

}  // namespace

bool nearer(const node_id& target, const node_id& a, const node_id& b) {
    for (std::size_t i = 0; i < target.data.size(); ++i)
        if (a.data[i] != b.data[i]) return (a.data[i] ^ target.data[i]) < (b.data[i] ^ target.data[i]);
    return false;
}

std::size_t shared_bits(const node_id& a, const node_id& b) {
    for (std::size_t i = 0; i < a.data.size(); ++i)
        if (const auto difference = std::to_integer<std::uint8_t>(a.data[i] ^ b.data[i]))
            return i * 8 + static_cast<std::size_t>(std::countl_zero(difference));
    return id_bits;
}

node_id id_for(bytes_view address, const node_id& random) {
    auto out = random;
    const auto hash = id_prefix(address, random.data.back());
    out.data[0] = static_cast<std::byte>(hash >> 24);
    out.data[1] = static_cast<std::byte>(hash >> 16);
    out.data[2] = (static_cast<std::byte>(hash >> 8) & third_byte_mask) | (random.data[2] & ~third_byte_mask);
    return out;
}

bool id_fits(const node_id& id, const endpoint& at) {
    if (!is_public(at)) return true;
    const auto hash = id_prefix(at.address_view(), id.data.back());
    return id.data[0] == static_cast<std::byte>(hash >> 24) && id.data[1] == static_cast<std::byte>(hash >> 16) &&
           ((id.data[2] ^ static_cast<std::byte>(hash >> 8)) & third_byte_mask) == std::byte{0};
}

}  // namespace pp::dht

// Where a node of the DHT is: an IPv4 or IPv6 address and a UDP port, and their compact forms (BEP 5, BEP 32).
#pragma once

#include "proto/dht/error.hpp"

#include "crypto/bytes.hpp"

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <vector>

namespace pp::dht {

enum class family : std::uint8_t { ipv4 = 0, ipv6 = 1 };
inline constexpr std::array families = {family::ipv4, family::ipv6};
constexpr std::size_t address_bytes(family f) { return f == family::ipv4 ? 4 : 16; }
constexpr std::size_t compact_bytes(family f) { return address_bytes(f) + 2; }

struct endpoint {
    family kind = family::ipv4;
    std::array<std::byte, 16> address{};   // network order; of IPv4 the first four, the others zero
    std::uint16_t port = 0;

    bytes_view address_view() const { return bytes_view(address).first(address_bytes(kind)); }
    // The part of the address one customer of a provider has at least: 24 bits of IPv4, 64 of IPv6.
    bytes_view network_view() const { return bytes_view(address).first(kind == family::ipv4 ? 3 : 8); }
    auto operator<=>(const endpoint&) const = default;
};

// From 6 or 18 bytes.
result<endpoint> endpoint_from_compact(bytes_view compact);
bytes to_compact(const endpoint&);

// "192.0.2.7:6881", "[2001:db8::7]:6881". Names are not resolved here.
result<endpoint> parse_endpoint(std::string_view text);
std::string to_text(const endpoint&);

// What can be a node on the internet: a port, and an address that is neither private, loopback, link-local, multicast,
// documentation nor reserved (RFC 6890 section 2.2). An IPv4 address inside IPv6 is none.
bool is_public(const endpoint&);
// What can be a node at all: a port, and an address of one host.
bool is_usable(const endpoint&);

}  // namespace pp::dht

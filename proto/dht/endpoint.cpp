#include "proto/dht/endpoint.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace pp::dht {
namespace {

struct prefix {
    std::array<std::uint8_t, 16> bits;
    std::size_t length;
};

// RFC 6890 section 2.2.2, and multicast and class E.
constexpr prefix closed_ipv4[] = {
    {{0}, 8},          {{10}, 8},          {{100, 64}, 10},      {{127}, 8},          {{169, 254}, 16},
    {{172, 16}, 12},   {{192, 0, 0}, 24},  {{192, 0, 2}, 24},    {{192, 88, 99}, 24}, {{192, 168}, 16},
    {{198, 18}, 15},   {{198, 51, 100}, 24}, {{203, 0, 113}, 24}, {{224}, 3},
};
// RFC 6890 section 2.2.3: of 2000::/3, which is what is given out, these are not hosts of the internet.
constexpr prefix open_ipv6 = {{0x20}, 3};
constexpr prefix closed_ipv6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23},   // protocol assignments, Teredo
    {{0x20, 0x01, 0x0d, 0xb8}, 32},   // documentation
    {{0x20, 0x02}, 16},               // 6to4
};

bool starts_with(bytes_view address, const prefix& p) {
    for (std::size_t bit = 0; bit < p.length; ++bit) {
        const auto mask = 0x80 >> (bit % 8);
        if ((std::to_integer<int>(address[bit / 8]) & mask) != (p.bits[bit / 8] & mask)) return false;
    }
    return true;
}

}  // namespace

result<endpoint> endpoint_from_compact(bytes_view compact) {
    endpoint out;
    if (compact.size() == compact_bytes(family::ipv6)) out.kind = family::ipv6;
    else if (compact.size() != compact_bytes(family::ipv4)) return errc::bad_address;
    const auto length = address_bytes(out.kind);
    std::copy_n(compact.begin(), length, out.address.begin());
    out.port = static_cast<std::uint16_t>(std::to_integer<unsigned>(compact[length]) << 8 |
                                          std::to_integer<unsigned>(compact[length + 1]));
    return out;
}

bytes to_compact(const endpoint& e) {
    auto out = to_bytes(e.address_view());
    out.push_back(static_cast<std::byte>(e.port >> 8));
    out.push_back(static_cast<std::byte>(e.port));
    return out;
}

result<endpoint> parse_endpoint(std::string_view text) {
    endpoint out;
    const auto colon = text.rfind(':');
    if (colon == text.npos) return errc::bad_address;
    auto host = text.substr(0, colon);
    const auto port = text.substr(colon + 1);
    if (!host.empty() && host.front() == '[') {
        if (host.back() != ']') return errc::bad_address;
        host = host.substr(1, host.size() - 2);
        out.kind = family::ipv6;
    }
    // inet_pton takes the usual text forms only, and no names.
    if (inet_pton(out.kind == family::ipv4 ? AF_INET : AF_INET6, std::string(host).c_str(), out.address.data()) != 1)
        return errc::bad_address;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc() || end != port.data() + port.size()) return errc::bad_address;
    return out;
}

std::string to_text(const endpoint& e) {
    char host[INET6_ADDRSTRLEN] = {};
    inet_ntop(e.kind == family::ipv4 ? AF_INET : AF_INET6, e.address.data(), host, sizeof host);
    const auto port = std::to_string(e.port);
    return e.kind == family::ipv4 ? host + (":" + port) : "[" + std::string(host) + "]:" + port;
}

bool is_public(const endpoint& e) {
    if (e.port == 0) return false;
    const auto inside = [&](const prefix& p) { return starts_with(e.address_view(), p); };
    if (e.kind == family::ipv4) return std::none_of(std::begin(closed_ipv4), std::end(closed_ipv4), inside);
    return inside(open_ipv6) && std::none_of(std::begin(closed_ipv6), std::end(closed_ipv6), inside);
}

bool is_usable(const endpoint& e) {
    if (e.port == 0) return false;
    const auto first = std::to_integer<int>(e.address[0]);
    if (e.kind == family::ipv4) return first != 0 && first < 224;
    return first != 0xff &&
           std::any_of(e.address.begin(), e.address.end(), [](std::byte b) { return b != std::byte{0}; });
}

}  // namespace pp::dht

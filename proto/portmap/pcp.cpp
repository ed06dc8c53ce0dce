#include "proto/portmap/pcp.hpp"

#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

#include <algorithm>

namespace pp::portmap::pcp {

namespace {

constexpr std::uint8_t op_map = 1, answer_bit = 128;
constexpr std::size_t answer_bytes_max = 1100;        // section 7: no message is longer

// ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2)
void put_mapped(wire::byte_writer& out, const ipv4& a) {
    out.zeros(10).u16(0xffff);
    for (const auto part : a) out.u8(part);
}

std::optional<ipv4> take_mapped(wire::byte_reader& in) {
    const auto prefix = in.view(10);
    const auto marker = in.u16();
    ipv4 out{};
    for (auto& part : out) part = in.u8();
    const bool zeros = std::all_of(prefix.begin(), prefix.end(), [](std::byte b) { return b == std::byte{0}; });
    if (in.failed() || !zeros || marker != 0xffff) return std::nullopt;
    return out;
}

}  // namespace

bytes map_request(const ipv4& own_address, const nonce& n, transport t, std::uint16_t internal_port,
                  std::uint16_t wanted_port, std::uint32_t lease_s) {
    wire::byte_writer out;
    out.u8(version).u8(op_map).u16(0).u32(lease_s);
    put_mapped(out, own_address);
    out.raw(bytes_view(n))
        .u8(static_cast<std::uint8_t>(t))
        .u24(0)
        .u16(internal_port)
        .u16(lease_s == 0 ? 0 : wanted_port);
    put_mapped(out, ipv4{});      // section 11.1: any external address of this family
    return out.take();
}

std::optional<map_answer> decode(bytes_view datagram) {
    if (datagram.size() > answer_bytes_max) return std::nullopt;
    wire::byte_reader in(datagram);
    map_answer out;
    const auto their_version = in.u8();
    const auto op = in.u8();
    in.u8();
    out.result = in.u8();
    out.lease_s = in.u32();
    out.epoch_s = in.u32();
    in.view(12);
    // An answer of another version says so with result 1 and its own version (section 9); any other is none of ours.
    const bool of_version = their_version == version || out.result == 1;
    if (in.failed() || their_version == 0 || !of_version || op != op_map + answer_bit) return std::nullopt;
    if (out.result != 0 && in.left() < 36) return out;
    out.n = in.array<12>();
    const auto protocol = in.u8();
    in.u24();
    out.internal_port = in.u16();
    out.external_port = in.u16();
    out.external = take_mapped(in);
    if (protocol != static_cast<std::uint8_t>(transport::tcp) &&
        protocol != static_cast<std::uint8_t>(transport::udp)) {
        if (out.result == 0) return std::nullopt;
        return out;
    }
    out.what = static_cast<transport>(protocol);
    if (in.failed()) return std::nullopt;
    return out;
}

}  // namespace pp::portmap::pcp

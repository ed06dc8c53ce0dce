#include "proto/portmap/nat_pmp.hpp"

#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

namespace pp::portmap::nat_pmp {

namespace {
constexpr std::uint8_t op_address = 0, op_map_udp = 1, op_map_tcp = 2, answer_bit = 128;
}

bytes address_request() { return wire::byte_writer().u8(version).u8(op_address).take(); }

std::uint8_t operation_of(transport t) { return t == transport::udp ? op_map_udp : op_map_tcp; }

bytes mapping_request(transport t, std::uint16_t internal_port, std::uint16_t wanted_port, std::uint32_t lease_s) {
    return wire::byte_writer().u8(version).u8(operation_of(t)).u16(0).u16(internal_port)
        .u16(lease_s == 0 ? 0 : wanted_port).u32(lease_s).take();
}

std::optional<answer> decode(bytes_view datagram) {
    wire::byte_reader in(datagram);
    const auto their_version = in.u8();
    const auto op = in.u8();
    const auto result = in.u16();
    if (in.failed() || their_version != version || op < answer_bit) return std::nullopt;
    const auto asked = static_cast<std::uint8_t>(op - answer_bit);
    if (asked > op_map_tcp) return std::nullopt;
    if (result != 0) return refusal{asked, result};
    const auto epoch = in.u32();
    if (asked == op_address) {
        address_answer out;
        out.epoch_s = epoch;
        for (auto& part : out.external) part = in.u8();
        if (in.failed()) return std::nullopt;
        return out;
    }
    mapping_answer out;
    out.what = asked == op_map_udp ? transport::udp : transport::tcp;
    out.epoch_s = epoch;
    out.internal_port = in.u16();
    out.external_port = in.u16();
    out.lease_s = in.u32();
    if (in.failed()) return std::nullopt;
    return out;
}

}  // namespace pp::portmap::nat_pmp

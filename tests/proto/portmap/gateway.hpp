// A gateway for tests: speaks PCP, NAT-PMP or nothing, in memory.
#pragma once

#include "crypto/bytes.hpp"
#include "proto/portmap/mapping.hpp"
#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

#include <vector>

namespace pp::portmap {

struct gateway {
    enum class speaks { pcp, nat_pmp, nat_pmp_silently, nothing } kind = speaks::pcp;
    ipv4 external{5, 6, 7, 8};
    std::uint16_t external_port = 0;     // 0: the one asked for
    unsigned questions = 0, taken_away = 0;

    bytes pcp_answer(const nonce& n, transport t, std::uint16_t internal, std::uint16_t outside, ipv4 address,
                     std::uint32_t lease) {
        wire::byte_writer out;
        out.u8(2).u8(129).u8(0).u8(0).u32(lease).u32(123).zeros(12);
        out.raw(bytes_view(n)).u8(static_cast<std::uint8_t>(t)).u24(0).u16(internal).u16(outside);
        out.zeros(10).u16(0xffff);
        for (const auto part : address) out.u8(part);
        return out.take();
    }

    std::vector<bytes> asked(bytes_view question) {
        ++questions;
        if (kind == speaks::nothing) return {};
        wire::byte_reader in(question);
        const auto version = in.u8();
        const auto op = in.u8();
        if (version == 2) {
            if (kind == speaks::nat_pmp_silently) return {};
            if (kind == speaks::nat_pmp) {
                wire::byte_writer no;      // RFC 6886 section 3.5
                return {no.u8(0).u8(static_cast<std::uint8_t>(128 + op)).u16(1).u32(123).take()};
            }
            in.u16();
            const auto lease = in.u32();
            in.view(16);
            const auto n = in.array<12>();
            const auto t = static_cast<transport>(in.u8());
            in.u24();
            const auto internal = in.u16(), wanted = in.u16();
            taken_away += lease == 0;
            return {pcp_answer(n, t, internal, external_port ? external_port : wanted, external, lease)};
        }
        wire::byte_writer out;
        if (op == 0) {
            out.u8(0).u8(128).u16(0).u32(123);
            for (const auto part : external) out.u8(part);
            return {out.take()};
        }
        in.u16();
        const auto internal = in.u16(), wanted = in.u16();
        const auto lease = in.u32();
        taken_away += lease == 0;
        return {out.u8(0).u8(static_cast<std::uint8_t>(128 + op)).u16(0).u32(123).u16(internal)
                    .u16(lease == 0 ? 0 : external_port ? external_port : wanted).u32(lease).take()};
    }
};

}  // namespace pp::portmap

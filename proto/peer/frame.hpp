// Frames of a link (SPEC.md, "Frames"; 04-network 5.2): type u8 | flags u8 | stream u24 | length u24 | payload.
#pragma once

#include "proto/peer/error.hpp"
#include "proto/wire/byte_writer.hpp"

#include <optional>

namespace pp::peer {

enum class frame_type : std::uint8_t {
    hello = 0, ping = 1, pong = 2, open = 3, data = 4, credit = 5, fin = 6, reset = 7, go_away = 8, addresses = 9
};
inline constexpr std::uint8_t last_known_frame_type = 9;

inline constexpr std::size_t frame_header_bytes = 8;
inline constexpr std::size_t frame_payload_bytes_max = 65535;
// one TLS record: nothing waits behind more than that
inline constexpr std::size_t sent_payload_bytes_max = 16 * 1024;
inline constexpr std::uint32_t stream_number_max = 0xffffff;
// In flags of a type the receiver does not know: it must not skip the frame but end the link.
inline constexpr std::uint8_t must_understand = 0x80;

struct frame {
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;       // 0: the link itself
    bytes_view payload;             // into the input
    std::size_t wire_bytes() const { return frame_header_bytes + payload.size(); }
};

// The frame at the front of the input: nullopt while it is not there as a whole, errc::bad_frame as soon as its header
// cannot be right.
result<std::optional<frame>> next_frame(bytes_view input);

void put_frame(wire::byte_writer& out, frame_type type, std::uint32_t stream, bytes_view payload = {});

// Why a stream is reset or a link ends: u32 in RESET, and in front of the reason in GOAWAY.
enum class end_code : std::uint32_t {
    done = 0, unknown_protocol = 1, too_large = 2, going_away = 3, refused = 4, violation = 5, timed_out = 6
};

}  // namespace pp::peer

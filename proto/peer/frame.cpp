#include "proto/peer/frame.hpp"

#include "crypto/assert.hpp"
#include "proto/wire/byte_reader.hpp"

namespace pp::peer {

result<std::optional<frame>> next_frame(bytes_view input) {
    if (input.size() < frame_header_bytes) return std::optional<frame>();
    wire::byte_reader reader(input);
    frame f;
    f.type = reader.u8();
    f.flags = reader.u8();
    f.stream = reader.u24();
    const std::size_t length = reader.u24();
    if (length > frame_payload_bytes_max) return errc::bad_frame;
    if (f.type <= last_known_frame_type && f.flags != 0) return errc::bad_frame;   // none is defined in version 1
    if (f.type > last_known_frame_type && (f.flags & must_understand)) return errc::bad_frame;
    if (reader.left() < length) return std::optional<frame>();
    f.payload = reader.view(length);
    return std::optional<frame>(f);
}

void put_frame(wire::byte_writer& out, frame_type type, std::uint32_t stream, bytes_view payload) {
    PP_ASSERT(stream <= stream_number_max && payload.size() <= frame_payload_bytes_max);
    out.u8(static_cast<std::uint8_t>(type)).u8(0).u24(stream).u24(static_cast<std::uint32_t>(payload.size()));
    out.raw(payload);
}

}  // namespace pp::peer

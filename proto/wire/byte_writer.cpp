#include "proto/wire/byte_writer.hpp"

#include "crypto/assert.hpp"
#include "proto/wire/clean_text.hpp"

namespace pp::wire {

byte_writer& byte_writer::text8(std::string_view text, std::size_t max) {
    PP_ASSERT(max <= 255);
    const auto clean = clean_text(text, max);
    return u8(static_cast<std::uint8_t>(clean.size())).raw(clean);
}

byte_writer& byte_writer::sized16(bytes_view data) {
    PP_ASSERT(data.size() <= 0xffff);
    return u16(static_cast<std::uint16_t>(data.size())).raw(data);
}

byte_writer& byte_writer::sized32(bytes_view data) {
    PP_ASSERT(data.size() <= 0xffffffff);
    return u32(static_cast<std::uint32_t>(data.size())).raw(data);
}

}  // namespace pp::wire

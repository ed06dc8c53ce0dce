#include "proto/wire/byte_reader.hpp"

#include "proto/wire/clean_text.hpp"

namespace pp::wire {

bytes_view byte_reader::view(std::size_t n) {
    if (n > rest_.size()) {
        fail();
        return {};
    }
    const auto out = rest_.first(n);
    rest_ = rest_.subspan(n);
    return out;
}

std::uint64_t byte_reader::big_endian(std::size_t n) {
    std::uint64_t value = 0;
    for (const auto b : view(n)) value = value << 8 | std::to_integer<std::uint64_t>(b);
    return value;
}

void byte_reader::copy_to(mutable_bytes_view out) {
    const auto from = view(out.size());
    std::copy(from.begin(), from.end(), out.begin());   // a failed read leaves the zeros
}

std::string byte_reader::text8(std::size_t max) {
    const std::size_t n = u8();
    const auto text = as_text(n > max ? bytes_view{} : view(n));
    if (n > max || !is_clean_text(text)) {
        fail();
        return {};
    }
    return std::string(text);
}

bytes_view byte_reader::sized16(std::size_t max) {
    const std::size_t n = u16();
    if (n > max) fail();
    return view(failed_ ? 0 : n);
}

bytes_view byte_reader::sized32(std::size_t max) {
    const std::size_t n = u32();
    if (n > max) fail();
    return view(failed_ ? 0 : n);
}

}  // namespace pp::wire

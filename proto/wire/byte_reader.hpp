// Reads the fixed binary layouts of our own protocols out of hostile bytes: big endian, bounded, total. The first read
// that does not fit makes the reader fail for good; from then on every read gives zeros and empty views, so that a
// decoder reads straight through and asks once at its end.
#pragma once

#include "crypto/bytes.hpp"
#include "crypto/keys.hpp"

#include <array>

namespace pp::wire {

class byte_reader {
public:
    explicit byte_reader(bytes_view in) : rest_(in) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
    std::uint32_t u24() { return static_cast<std::uint32_t>(big_endian(3)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
    std::uint64_t u64() { return big_endian(8); }
    std::int64_t i64() { return static_cast<std::int64_t>(big_endian(8)); }   // two's complement

    // The next n bytes; a view into what the reader was made from.
    bytes_view view(std::size_t n);
    // All that is left.
    bytes_view rest() { return view(rest_.size()); }
    // A key or hash of the type's own size.
    template <class T>
    T fixed() {
        T out;
        copy_to(out.data);
        return out;
    }
    template <std::size_t Size>
    std::array<std::byte, Size> array() {
        std::array<std::byte, Size> out{};
        copy_to(out);
        return out;
    }
    // One length byte, then text of at most max bytes: well-formed UTF-8 without control characters.
    std::string text8(std::size_t max);
    // Two length bytes, then at most max bytes.
    bytes_view sized16(std::size_t max);
    // Four length bytes, then at most max bytes.
    bytes_view sized32(std::size_t max);

    void fail() {
        failed_ = true;
        rest_ = {};
    }
    bool failed() const { return failed_; }
    std::size_t left() const { return rest_.size(); }
    // Nothing failed and nothing is left over: the layout was met exactly.
    bool complete() const { return !failed_ && rest_.empty(); }

private:
    std::uint64_t big_endian(std::size_t n);
    void copy_to(mutable_bytes_view out);

    bytes_view rest_;
    bool failed_ = false;
};

}  // namespace pp::wire

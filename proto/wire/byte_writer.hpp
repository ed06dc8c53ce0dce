// Writes the fixed binary layouts of our own protocols: the other half of byte_reader. Cannot fail: text is made clean
// and cut to its limit, so that what is written can be read.
#pragma once

#include "crypto/bytes.hpp"
#include "crypto/keys.hpp"

namespace pp::wire {

class byte_writer {
public:
    byte_writer& u8(std::uint8_t v) { return big_endian(v, 1); }
    byte_writer& u16(std::uint16_t v) { return big_endian(v, 2); }
    byte_writer& u24(std::uint32_t v) { return big_endian(v, 3); }
    byte_writer& u32(std::uint32_t v) { return big_endian(v, 4); }
    byte_writer& u64(std::uint64_t v) { return big_endian(v, 8); }
    byte_writer& i64(std::int64_t v) { return big_endian(static_cast<std::uint64_t>(v), 8); }
    byte_writer& raw(bytes_view data) {
        out_.insert(out_.end(), data.begin(), data.end());
        return *this;
    }
    byte_writer& raw(std::string_view text) { return raw(as_bytes(text)); }
    template <class Tag, std::size_t Size>
    byte_writer& fixed(const crypto::fixed_bytes<Tag, Size>& value) { return raw(value.view()); }
    // One length byte and clean text of at most max (<= 255) bytes.
    byte_writer& text8(std::string_view text, std::size_t max);
    // Length in two or four bytes and the data, which must fit the length field.
    byte_writer& sized16(bytes_view data);
    byte_writer& sized32(bytes_view data);
    byte_writer& zeros(std::size_t n) {
        out_.resize(out_.size() + n);
        return *this;
    }

    std::size_t size() const { return out_.size(); }
    bytes_view view() const { return out_; }
    bytes take() { return std::move(out_); }

private:
    byte_writer& big_endian(std::uint64_t v, std::size_t n) {
        for (; n > 0; --n) out_.push_back(static_cast<std::byte>(v >> (8 * (n - 1))));
        return *this;
    }

    bytes out_;
};

}  // namespace pp::wire

// Little-endian bytes out of values and back. The reader never reads past its end: after the first short read it gives
// zeros and ok() is false, so a decoder checks once at its end.
#pragma once

#include "crypto/bytes.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <string>

namespace pp::storage {

class byte_writer {
public:
    void u8(std::uint8_t v) { out_.push_back(static_cast<std::byte>(v)); }
    void u16(std::uint16_t v) { little(v, 2); }
    void u32(std::uint32_t v) { little(v, 4); }
    void u64(std::uint64_t v) { little(v, 8); }
    void i64(std::int64_t v) { u64(static_cast<std::uint64_t>(v)); }
    void varint(std::uint64_t v) {   // LEB128
        for (; v >= 0x80; v >>= 7) u8(static_cast<std::uint8_t>(v | 0x80));
        u8(static_cast<std::uint8_t>(v));
    }
    void raw(bytes_view v) { out_.insert(out_.end(), v.begin(), v.end()); }
    void sized(bytes_view v) {       // length, then the bytes
        varint(v.size());
        raw(v);
    }
    void text(std::string_view v) { sized(pp::as_bytes(v)); }
    void zeros(std::size_t n) { out_.resize(out_.size() + n); }
    std::size_t size() const { return out_.size(); }
    bytes& out() { return out_; }
    const bytes& out() const { return out_; }
    bytes take() { return std::move(out_); }

private:
    void little(std::uint64_t v, int n) {
        for (int i = 0; i < n; ++i) u8(static_cast<std::uint8_t>(v >> (8 * i)));
    }
    bytes out_;
};

class byte_reader {
public:
    explicit byte_reader(bytes_view in) : in_(in) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(little(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(little(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(little(4)); }
    std::uint64_t u64() { return little(8); }
    std::int64_t i64() { return static_cast<std::int64_t>(little(8)); }
    std::uint64_t varint() {         // LEB128; fails beyond 64 bits
        std::uint64_t v = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const auto b = u8();
            v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
            if (!(b & 0x80)) return v;
        }
        fail();
        return 0;
    }
    bytes_view raw(std::size_t n) {  // the next n bytes of what is read; it must outlive them
        if (n > in_.size()) {
            fail();
            return {};
        }
        const auto out = in_.first(n);
        in_ = in_.subspan(n);
        return out;
    }
    bytes_view sized() {             // length, then the bytes
        const auto n = varint();
        if (n > in_.size()) {
            fail();
            return {};
        }
        return raw(static_cast<std::size_t>(n));
    }
    std::string text() { return std::string(as_text(sized())); }
    template <std::size_t N>
    std::array<std::byte, N> array() {
        std::array<std::byte, N> out{};
        const auto in = raw(N);
        std::copy(in.begin(), in.end(), out.begin());
        return out;
    }
    // A count of things that take at least `each` bytes: never more than can be there, so that reserve() is safe.
    std::size_t count(std::size_t each = 1) {
        const auto n = varint();
        if (n > in_.size() / (each ? each : 1)) {
            fail();
            return 0;
        }
        return static_cast<std::size_t>(n);
    }
    void fail() {                    // what was read makes no sense
        ok_ = false;
        in_ = {};
    }
    bool ok() const { return ok_; }
    bool done() const { return ok_ && in_.empty(); }   // all of it, and nothing behind it
    std::size_t left() const { return in_.size(); }

private:
    std::uint64_t little(std::size_t n) {
        const auto in = raw(n);
        std::uint64_t v = 0;
        if constexpr (std::endian::native == std::endian::little) {
            if (!in.empty()) std::memcpy(&v, in.data(), in.size());
        } else {
            for (std::size_t i = 0; i < in.size(); ++i) v |= static_cast<std::uint64_t>(in[i]) << (8 * i);
        }
        return v;
    }
    bytes_view in_;
    bool ok_ = true;
};

}  // namespace pp::storage

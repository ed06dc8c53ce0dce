// The tables of the view by number, and the keys of their rows.
#pragma once

#include "crypto/bytes.hpp"
#include "storage/limits.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace pp::storage {

// The number is part of what each row is bound to: append only.
enum class table : std::uint8_t {
    meta, folder, name, unhoused, keyword, msg, mod, vanish, msgid, env, blob, blob_name, out, inbox, peer, invite,
    password, setting, seen, seen_order, metadata, thread, thread_ref, doc, fts, out_ref, count_
};
inline constexpr std::size_t lmdb_page_bytes = 4096;     // LMDB takes the page size of the system; this one everywhere
inline constexpr std::size_t table_count = static_cast<std::size_t>(table::count_);

// Keys are short: kept on the stack, big-endian so that LMDB's order is the order of the numbers.
class row_name {
public:
    row_name() = default;
    row_name& u8(std::uint8_t v) { return add(v, 1); }
    row_name& u32(std::uint32_t v) { return add(v, 4); }
    row_name& u64(std::uint64_t v) { return add(v, 8); }
    row_name& raw(bytes_view v) {
        std::copy(v.begin(), v.end(), data_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += v.size();
        return *this;
    }
    bytes_view view() const { return bytes_view(data_).first(size_); }

private:
    row_name& add(std::uint64_t v, std::size_t n) {
        for (std::size_t i = n; i-- > 0;) data_[size_++] = static_cast<std::byte>(v >> (8 * i));
        return *this;
    }
    std::array<std::byte, row_key_bytes_max> data_{};
    std::size_t size_ = 0;
};
// As LMDB orders keys: below 0, 0, above 0.
inline int key_order(bytes_view a, bytes_view b) {
    const auto n = std::min(a.size(), b.size());
    const int c = n == 0 ? 0 : std::memcmp(a.data(), b.data(), n);
    return c != 0 ? c : a.size() < b.size() ? -1 : a.size() > b.size();
}
std::uint32_t key_u32(bytes_view key, std::size_t offset);   // big-endian, out of a key
std::uint64_t key_u64(bytes_view key, std::size_t offset);

}  // namespace pp::storage

#include "storage/relay/rows.hpp"

#include "storage/codec.hpp"
#include "storage/relay/limits.hpp"

#include <algorithm>

namespace pp::storage::relay {
namespace {

constexpr std::uint8_t row_version = 1;

byte_writer begun() {
    byte_writer w;
    w.u8(row_version);
    return w;
}

void read(byte_reader& r, slot_row& row) {
    row.number = r.u64();
    row.key = r.array<32>();
    row.tokens = r.array<32>();
    row.previous_tokens = r.array<32>();
    row.stranger_bits = r.u8();
    row.owner = r.array<16>();
    row.last = r.u64();
    row.items = r.u32();
    row.stranger_items = r.u32();
    row.spent = r.u32();
    row.seed_bytes = r.u64();
    row.stranger_seed_bytes = r.u64();
    row.ends = r.u32();
}
void read(byte_reader& r, item_row& row) {
    row.ends = r.u32();
    row.serial = r.array<16>();
    row.item = to_bytes(r.raw(r.left()));
    if (row.item.empty() || row.item.size() > item_bytes_max) r.fail();
}
void read(byte_reader& r, spent_row& row) {
    row.ends = r.u32();
    row.item = r.array<16>();
    row.seed = r.array<16>();
}
void read(byte_reader& r, seed_row& row) {
    row.number = r.u64();
    row.stranger = r.u8() != 0;
    row.size_bytes = r.u64();
    row.synced_bytes = r.u64();
    const auto phase = r.u8();
    if (phase > static_cast<std::uint8_t>(seed_phase::deleted)) r.fail();
    row.phase = static_cast<seed_phase>(phase);
    row.deletion = r.array<32>();
    row.ends = r.u32();
}
void read(byte_reader& r, invite_row& row) {
    row.uses = r.u32();
    row.ends = r.u32();
}
void read(byte_reader& r, totals& row) {
    row.next_number = r.u64();
    row.slots = r.u64();
    row.items = r.u64();
    row.seeds = r.u64();
    row.seed_bytes = r.u64();
}

}  // namespace

bytes encode(const slot_row& row) {
    auto w = begun();
    w.u64(row.number);
    w.raw(row.key);
    w.raw(row.tokens);
    w.raw(row.previous_tokens);
    w.u8(row.stranger_bits);
    w.raw(row.owner);
    w.u64(row.last);
    w.u32(row.items);
    w.u32(row.stranger_items);
    w.u32(row.spent);
    w.u64(row.seed_bytes);
    w.u64(row.stranger_seed_bytes);
    w.u32(row.ends);
    return w.take();
}
bytes encode(const item_row& row) {
    auto w = begun();
    w.u32(row.ends);
    w.raw(row.serial);
    w.raw(row.item);
    return w.take();
}
bytes encode(const spent_row& row) {
    auto w = begun();
    w.u32(row.ends);
    w.raw(row.item);
    w.raw(row.seed);
    return w.take();
}
bytes encode(const seed_row& row) {
    auto w = begun();
    w.u64(row.number);
    w.u8(row.stranger);
    w.u64(row.size_bytes);
    w.u64(row.synced_bytes);
    w.u8(static_cast<std::uint8_t>(row.phase));
    w.raw(row.deletion);
    w.u32(row.ends);
    return w.take();
}
bytes encode(const invite_row& row) {
    auto w = begun();
    w.u32(row.uses);
    w.u32(row.ends);
    return w.take();
}
bytes encode(const totals& row) {
    auto w = begun();
    w.u64(row.next_number);
    w.u64(row.slots);
    w.u64(row.items);
    w.u64(row.seeds);
    w.u64(row.seed_bytes);
    return w.take();
}

template <class Row>
result<Row> decode_row(bytes_view in) {
    byte_reader r(in);
    const auto version = r.u8();
    if (r.ok() && version > row_version) return storage::errc::newer_format;
    Row row;
    read(r, row);
    if (!r.done() || version != row_version) return storage::errc::damaged;
    return row;
}
template result<slot_row> decode_row(bytes_view);
template result<item_row> decode_row(bytes_view);
template result<spent_row> decode_row(bytes_view);
template result<seed_row> decode_row(bytes_view);
template result<invite_row> decode_row(bytes_view);
template result<totals> decode_row(bytes_view);

std::uint32_t hour_of(std::int64_t unix_s) {
    constexpr std::int64_t most = 0xffffffff;   // in the year 491 936
    return static_cast<std::uint32_t>((std::clamp<std::int64_t>(unix_s, 0, most * hour_s - hour_s) + hour_s - 1) /
                                      hour_s);
}

}  // namespace pp::storage::relay

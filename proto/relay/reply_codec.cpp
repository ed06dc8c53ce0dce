// Replies (proto/relay/SPEC.md, "Requests"): a status, then what was asked for or when to ask again.
#include "proto/relay/messages.hpp"

#include "crypto/assert.hpp"
#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

namespace pp::relay {
namespace {

constexpr auto ok = static_cast<std::uint8_t>(status::ok);
static_assert(1 + 1 + 1 + list_items_max * (8 + 16 + item_bytes) <= reply_bytes_max);
static_assert(1 + 8 + 4 + piece_bytes_max <= seed_message_bytes_max);

// A flag has one byte and two values.
bool read_flag(wire::byte_reader& in) {
    const auto v = in.u8();
    if (v > 1) in.fail();
    return v == 1;
}

std::uint8_t read_bits(wire::byte_reader& in) {
    const auto bits = in.u8();
    if (bits > work_bits_max && bits != work_closed) in.fail();
    return bits;
}

void read(wire::byte_reader& in, info_reply& r) {
    r.version_min = in.u16();
    r.version_max = in.u16();
    r.nonce = in.array<16>();
    const auto policy = in.u8();
    if (policy > static_cast<std::uint8_t>(serving::open)) in.fail();
    r.policy = static_cast<serving>(policy);
    r.open_bits = read_bits(in);
    r.stranger_bits = read_bits(in);
    r.items_max = in.u32();
    r.item_ttl_s = in.u32();
    r.seed_total_max = in.u64();
    r.seed_bytes_max = in.u64();
    r.seed_ttl_s = in.u32();
    r.poll_s = in.u32();
    r.reservation_s = in.u32();
    if (r.version_min == 0 || r.version_min > r.version_max || r.poll_s < poll_min_s || r.poll_s > poll_max_s ||
        r.reservation_s > reservation_s_max)
        in.fail();
}
void read(wire::byte_reader&, done_reply&) {}
void read(wire::byte_reader& in, attach_reply& r) {
    r.items = in.u32();
    r.seed_bytes = in.u64();
}
void read(wire::byte_reader& in, list_reply& r) {
    r.more = read_flag(in);
    const auto count = in.u8();
    if (count > list_items_max) in.fail();
    std::uint64_t last = 0;
    for (unsigned i = 0; i < count && !in.failed(); ++i) {
        listed_item item;
        item.number = in.u64();
        item.paid_by = in.fixed<token_serial>();
        item.item = to_bytes(in.view(item_bytes));
        if (item.number <= last) in.fail();
        last = item.number;
        r.items.push_back(std::move(item));
    }
    if (r.more && r.items.empty()) in.fail();   // who asked would ask the same for ever
}
void read(wire::byte_reader& in, deposit_reply& r) { r.ttl_s = in.u32(); }
void read(wire::byte_reader& in, seed_reply& r) {
    const auto phase = in.u8();
    if (phase > static_cast<std::uint8_t>(seed_phase::deleted)) in.fail();
    r.phase = static_cast<seed_phase>(phase);
    r.size_bytes = in.u64();
    r.have_bytes = in.u64();
    r.ttl_s = in.u32();
    if (!is_seed_size(r.size_bytes) || r.have_bytes > r.size_bytes ||
        (r.phase == seed_phase::whole) != (r.have_bytes == r.size_bytes))
        in.fail();
}
void read(wire::byte_reader& in, seed_piece_reply& r) {
    r.size_bytes = in.u64();
    r.data = to_bytes(in.sized32(piece_bytes_max));
    if (!is_seed_size(r.size_bytes)) in.fail();
}
void read(wire::byte_reader& in, reserve_reply& r) {
    r.ttl_s = in.u32();
    r.observed = in.text8(endpoint_bytes_max);
    if (r.ttl_s == 0 || r.ttl_s > reservation_s_max) in.fail();
}
void read(wire::byte_reader& in, connect_reply& r) {
    r.circuit = in.array<16>();
    r.secret = in.array<16>();
    r.bytes_max = in.u64();
    r.rate_bytes_per_s = in.u32();
    r.seconds_max = in.u32();
}

}  // namespace

bytes encode(const refusal& r) {
    PP_ASSERT(r.why != status::ok);
    return wire::byte_writer().u8(static_cast<std::uint8_t>(r.why)).u32(r.retry_after_s).take();
}
bytes encode(const info_reply& r) {
    wire::byte_writer out;
    out.u8(ok).u16(r.version_min).u16(r.version_max).raw(bytes_view(r.nonce)).u8(static_cast<std::uint8_t>(r.policy));
    out.u8(r.open_bits).u8(r.stranger_bits).u32(r.items_max).u32(r.item_ttl_s);
    out.u64(r.seed_total_max).u64(r.seed_bytes_max).u32(r.seed_ttl_s).u32(r.poll_s).u32(r.reservation_s);
    return out.take();
}
bytes encode(const done_reply&) { return wire::byte_writer().u8(ok).take(); }
bytes encode(const attach_reply& r) { return wire::byte_writer().u8(ok).u32(r.items).u64(r.seed_bytes).take(); }
bytes encode(const list_reply& r) {
    PP_ASSERT(r.items.size() <= list_items_max);
    wire::byte_writer out;
    out.u8(ok).u8(r.more).u8(static_cast<std::uint8_t>(r.items.size()));
    for (const auto& item : r.items) {
        PP_ASSERT(item.item.size() == item_bytes);
        out.u64(item.number).fixed(item.paid_by).raw(item.item);
    }
    return out.take();
}
bytes encode(const deposit_reply& r) { return wire::byte_writer().u8(ok).u32(r.ttl_s).take(); }
bytes encode(const seed_reply& r) {
    return wire::byte_writer()
        .u8(ok)
        .u8(static_cast<std::uint8_t>(r.phase))
        .u64(r.size_bytes)
        .u64(r.have_bytes)
        .u32(r.ttl_s)
        .take();
}
bytes encode(const seed_piece_reply& r) {
    PP_ASSERT(r.data.size() <= piece_bytes_max);
    return wire::byte_writer().u8(ok).u64(r.size_bytes).sized32(r.data).take();
}
bytes encode(const reserve_reply& r) {
    return wire::byte_writer().u8(ok).u32(r.ttl_s).text8(r.observed, endpoint_bytes_max).take();
}
bytes encode(const connect_reply& r) {
    wire::byte_writer out;
    out.u8(ok).raw(bytes_view(r.circuit)).raw(bytes_view(r.secret));
    return out.u64(r.bytes_max).u32(r.rate_bytes_per_s).u32(r.seconds_max).take();
}

template <class T>
result<reply<T>> decode_reply(bytes_view wire) {
    if (wire.size() > (std::is_same_v<T, seed_piece_reply> ? seed_message_bytes_max : reply_bytes_max))
        return errc::too_large;
    wire::byte_reader in(wire);
    const auto code = in.u8();
    if (code > static_cast<std::uint8_t>(last_status)) in.fail();
    if (code == ok) {
        T value;
        read(in, value);
        if (!in.complete()) return errc::bad_message;
        return reply<T>(std::move(value));
    }
    const refusal no{static_cast<status>(code), in.u32()};
    if (!in.complete()) return errc::bad_message;
    return reply<T>(no);
}

template result<reply<info_reply>> decode_reply(bytes_view);
template result<reply<done_reply>> decode_reply(bytes_view);
template result<reply<attach_reply>> decode_reply(bytes_view);
template result<reply<list_reply>> decode_reply(bytes_view);
template result<reply<deposit_reply>> decode_reply(bytes_view);
template result<reply<seed_reply>> decode_reply(bytes_view);
template result<reply<seed_piece_reply>> decode_reply(bytes_view);
template result<reply<reserve_reply>> decode_reply(bytes_view);
template result<reply<connect_reply>> decode_reply(bytes_view);

}  // namespace pp::relay

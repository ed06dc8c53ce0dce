// Requests (proto/relay/SPEC.md, "Requests").
#include "proto/relay/messages.hpp"

#include "crypto/assert.hpp"
#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

namespace pp::relay {
namespace {

constexpr std::string_view open_purpose = "peerpost relay open v1";
constexpr std::string_view attach_purpose = "peerpost relay attach v1";
constexpr std::uint8_t paid_with_token = 1, paid_with_work = 2;
constexpr std::uint8_t show_endpoint_flag = 1;

void write(wire::byte_writer& out, const payment& paid) {
    if (const auto* token = std::get_if<delivery_token>(&paid))
        out.u8(paid_with_token).fixed(token->serial).u16(token->week).raw(bytes_view(token->mac));
    else
        out.u8(paid_with_work).u64(std::get<work_payment>(paid).solution);
}

payment read_payment(wire::byte_reader& in) {
    switch (in.u8()) {
    case paid_with_token: {
        delivery_token token;
        token.serial = in.fixed<token_serial>();
        token.week = in.u16();
        token.mac = in.array<16>();
        if (token.serial == token_serial{}) in.fail();   // zeros stand for a stranger
        return token;
    }
    case paid_with_work: return work_payment{in.u64()};
    default: in.fail(); return work_payment{};
    }
}

// ---------------------------------------------------------------- one pair for each request
void write(wire::byte_writer& out, const info_request& r) { out.fixed(r.slot); }
void read(wire::byte_reader& in, info_request& r) { r.slot = in.fixed<slot_id>(); }

void write_settings(wire::byte_writer& out, const open_request& r) {
    out.fixed(r.key).fixed(r.tokens).fixed(r.previous_tokens).u8(r.stranger_bits).raw(bytes_view(r.invite));
}
void write(wire::byte_writer& out, const open_request& r) {
    write_settings(out, r);
    out.u64(r.solution).fixed(r.sig);
}
void read(wire::byte_reader& in, open_request& r) {
    r.key = in.fixed<slot_key>();
    r.tokens = in.fixed<token_key>();
    r.previous_tokens = in.fixed<token_key>();
    r.stranger_bits = in.u8();
    r.invite = in.array<16>();
    r.solution = in.u64();
    r.sig = in.fixed<crypto::signature>();
    if (r.stranger_bits > work_bits_max && r.stranger_bits != work_closed) in.fail();
}

void write(wire::byte_writer& out, const attach_request& r) { out.fixed(r.key).fixed(r.sig); }
void read(wire::byte_reader& in, attach_request& r) {
    r.key = in.fixed<slot_key>();
    r.sig = in.fixed<crypto::signature>();
}

void write(wire::byte_writer& out, const list_request& r) { out.fixed(r.slot).u64(r.after).u8(r.count); }
void read(wire::byte_reader& in, list_request& r) {
    r.slot = in.fixed<slot_id>();
    r.after = in.u64();
    r.count = in.u8();
    if (r.count == 0 || r.count > list_items_max) in.fail();
}

void write(wire::byte_writer& out, const erase_request& r) {
    PP_ASSERT(!r.numbers.empty() && r.numbers.size() <= delete_items_max);
    out.fixed(r.slot).u8(static_cast<std::uint8_t>(r.numbers.size()));
    for (const auto n : r.numbers) out.u64(n);
}
void read(wire::byte_reader& in, erase_request& r) {
    r.slot = in.fixed<slot_id>();
    const auto count = in.u8();
    if (count == 0 || count > delete_items_max) in.fail();
    for (unsigned i = 0; i < count && !in.failed(); ++i) {
        r.numbers.push_back(in.u64());
        if (i > 0 && r.numbers[i] <= r.numbers[i - 1]) in.fail();
    }
}

void write(wire::byte_writer& out, const close_request& r) { out.fixed(r.slot); }
void read(wire::byte_reader& in, close_request& r) { r.slot = in.fixed<slot_id>(); }

void write(wire::byte_writer& out, const deposit_request& r) {
    PP_ASSERT(r.item.size() == item_bytes);
    out.fixed(r.slot);
    write(out, r.paid);
    out.raw(r.item);
}
void read(wire::byte_reader& in, deposit_request& r) {
    r.slot = in.fixed<slot_id>();
    r.paid = read_payment(in);
    r.item = to_bytes(in.view(item_bytes));
}

void write(wire::byte_writer& out, const seed_begin_request& r) {
    out.fixed(r.slot);
    write(out, r.paid);
    out.fixed(r.where).u64(r.size_bytes).fixed(r.deletion);
}
void read(wire::byte_reader& in, seed_begin_request& r) {
    r.slot = in.fixed<slot_id>();
    r.paid = read_payment(in);
    r.where = in.fixed<locator>();
    r.size_bytes = in.u64();
    r.deletion = in.fixed<crypto::hash256>();
    if (!is_seed_size(r.size_bytes)) in.fail();
}

void write(wire::byte_writer& out, const seed_state_request& r) { out.fixed(r.where); }
void read(wire::byte_reader& in, seed_state_request& r) { r.where = in.fixed<locator>(); }

void write(wire::byte_writer& out, const seed_delete_request& r) { out.fixed(r.where).fixed(r.secret); }
void read(wire::byte_reader& in, seed_delete_request& r) {
    r.where = in.fixed<locator>();
    r.secret = in.fixed<deletion_secret>();
}

void write(wire::byte_writer& out, const reserve_request& r) { out.u32(r.ttl_s); }
void read(wire::byte_reader& in, reserve_request& r) {
    r.ttl_s = in.u32();
    if (r.ttl_s == 0 || r.ttl_s > reservation_s_max) in.fail();
}

void write(wire::byte_writer& out, const connect_request& r) {
    out.fixed(r.target).u8(r.show_endpoint ? show_endpoint_flag : 0);
}
void read(wire::byte_reader& in, connect_request& r) {
    r.target = in.fixed<circuit_tag>();
    const auto flags = in.u8();
    if (flags & ~show_endpoint_flag) in.fail();
    r.show_endpoint = flags & show_endpoint_flag;
}

void write(wire::byte_writer& out, const seed_put_request& r) {
    PP_ASSERT(!r.data.empty() && r.data.size() <= piece_bytes_max);
    out.fixed(r.where).u64(r.offset).sized32(r.data);
}
void read(wire::byte_reader& in, seed_put_request& r) {
    r.where = in.fixed<locator>();
    r.offset = in.u64();
    r.data = to_bytes(in.sized32(piece_bytes_max));
    if (r.data.empty() || r.offset > seed_bytes_max) in.fail();
}

void write(wire::byte_writer& out, const seed_get_request& r) { out.fixed(r.where).u64(r.offset).u32(r.length_bytes); }
void read(wire::byte_reader& in, seed_get_request& r) {
    r.where = in.fixed<locator>();
    r.offset = in.u64();
    r.length_bytes = in.u32();
    if (r.length_bytes == 0 || r.length_bytes > piece_bytes_max || r.offset > seed_bytes_max) in.fail();
}

void write(wire::byte_writer& out, const news_request& r) { out.fixed(r.slot); }
void read(wire::byte_reader& in, news_request& r) { r.slot = in.fixed<slot_id>(); }

void write(wire::byte_writer& out, const incoming_request& r) {
    out.raw(bytes_view(r.circuit)).raw(bytes_view(r.secret)).text8(r.caller, endpoint_bytes_max);
}
void read(wire::byte_reader& in, incoming_request& r) {
    r.circuit = in.array<16>();
    r.secret = in.array<16>();
    r.caller = in.text8(endpoint_bytes_max);
}

constexpr operation op_of(const info_request&) { return operation::info; }
constexpr operation op_of(const open_request&) { return operation::open; }
constexpr operation op_of(const attach_request&) { return operation::attach; }
constexpr operation op_of(const list_request&) { return operation::list; }
constexpr operation op_of(const erase_request&) { return operation::erase; }
constexpr operation op_of(const close_request&) { return operation::close; }
constexpr operation op_of(const deposit_request&) { return operation::deposit; }
constexpr operation op_of(const seed_begin_request&) { return operation::seed_begin; }
constexpr operation op_of(const seed_state_request&) { return operation::seed_state; }
constexpr operation op_of(const seed_delete_request&) { return operation::seed_delete; }
constexpr operation op_of(const reserve_request&) { return operation::reserve; }
constexpr operation op_of(const connect_request&) { return operation::connect; }
constexpr operation op_of(const seed_put_request&) { return operation::seed_put; }
constexpr operation op_of(const seed_get_request&) { return operation::seed_get; }
constexpr operation op_of(const news_request&) { return operation::news; }
constexpr operation op_of(const incoming_request&) { return operation::incoming; }

template <class Variant>
bytes encoded(const Variant& r) {
    wire::byte_writer out;
    std::visit(
        [&](const auto& one) {
            out.u8(static_cast<std::uint8_t>(op_of(one)));
            write(out, one);
        },
        r);
    return out.take();
}

template <class T, class Variant>
result<Variant> decoded(wire::byte_reader& in) {
    T value;
    read(in, value);
    if (!in.complete()) return errc::bad_message;
    return Variant(std::move(value));
}

}  // namespace

operation operation_of(const request& r) {
    return std::visit([](const auto& one) { return op_of(one); }, r);
}

bytes encode(const request& r) { return encoded(r); }
bytes encode(const pushed& r) { return encoded(r); }

result<request> decode_request(bytes_view wire) {
    if (wire.size() > seed_message_bytes_max) return errc::too_large;
    wire::byte_reader in(wire);
    const auto op = static_cast<operation>(in.u8());
    if (!is_bulk(op) && wire.size() > request_bytes_max) return errc::too_large;
    switch (op) {
    case operation::info: return decoded<info_request, request>(in);
    case operation::open: return decoded<open_request, request>(in);
    case operation::attach: return decoded<attach_request, request>(in);
    case operation::list: return decoded<list_request, request>(in);
    case operation::erase: return decoded<erase_request, request>(in);
    case operation::close: return decoded<close_request, request>(in);
    case operation::deposit: return decoded<deposit_request, request>(in);
    case operation::seed_begin: return decoded<seed_begin_request, request>(in);
    case operation::seed_state: return decoded<seed_state_request, request>(in);
    case operation::seed_delete: return decoded<seed_delete_request, request>(in);
    case operation::reserve: return decoded<reserve_request, request>(in);
    case operation::connect: return decoded<connect_request, request>(in);
    case operation::seed_put: return decoded<seed_put_request, request>(in);
    case operation::seed_get: return decoded<seed_get_request, request>(in);
    case operation::news:
    case operation::incoming: break;   // the relay asks these, nobody asks the relay
    }
    return errc::bad_message;
}

result<pushed> decode_pushed(bytes_view wire) {
    if (wire.size() > request_bytes_max) return errc::too_large;
    wire::byte_reader in(wire);
    switch (static_cast<operation>(in.u8())) {
    case operation::news: return decoded<news_request, pushed>(in);
    case operation::incoming: return decoded<incoming_request, pushed>(in);
    default: return errc::bad_message;
    }
}

bytes signed_part(const open_request& r, const account_key& relay, const array16& nonce) {
    wire::byte_writer out;
    out.raw(open_purpose).u8(0).fixed(relay).raw(bytes_view(nonce));
    write_settings(out, r);
    return out.take();
}

bytes signed_part(const attach_request& r, const account_key& relay, const array16& nonce) {
    wire::byte_writer out;
    out.raw(attach_purpose).u8(0).fixed(relay).raw(bytes_view(nonce)).fixed(r.key);
    return out.take();
}

}  // namespace pp::relay

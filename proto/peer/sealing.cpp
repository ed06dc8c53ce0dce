// The fixed form that notifications and letters are sealed in (SPEC.md, "Notification"; RFC 9180 base mode).
#include "proto/peer/layout.hpp"

namespace pp::peer::layout {
namespace {

// In front of the sealed part, and its additional data: version | prekey id.
constexpr std::size_t front_bytes = 1 + 4;
constexpr std::size_t plain_bytes = notification_bytes - front_bytes - crypto::hpke::overhead_bytes;
constexpr std::uint8_t work_follows = 1;
static_assert(2 + sealed_fields_bytes_max + 64 == plain_bytes);

// Covers the key it is sealed to and this very sealing, so that the recipient cannot pass it on as if it had been meant
// for somebody else.
bytes signed_content(const sealing& how, const crypto::prekey& to, bytes_view enc, bytes_view fields) {
    wire::byte_writer out;
    out.fixed(to).raw(enc).raw(fields);
    return signed_bytes(how.signature_purpose, out.view());
}

bool all_zero(bytes_view data) {
    return std::all_of(data.begin(), data.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

bytes seal(const sealing& how, const crypto::prekey_secret& ephemeral, bytes_view fields,
           const crypto::signing_key& sender, std::uint32_t prekey_id, const crypto::prekey& to,
           std::optional<std::uint64_t> work) {
    PP_ASSERT(fields.size() + (work ? work_part_bytes : 0) <= sealed_fields_bytes_max);
    wire::byte_writer front;
    front.u8(version_1).u32(prekey_id);
    const auto enc = crypto::prekey_of(ephemeral);
    const auto sig = sender.sign(signed_content(how, to, enc.view(), fields));
    wire::byte_writer plain;
    plain.sized16(fields).fixed(sig);
    if (work) plain.u8(work_follows).u64(*work);
    plain.zeros(plain_bytes - plain.size());
    const auto sealed = crypto::hpke::seal_with(ephemeral, to, as_bytes(how.purpose), front.view(), plain.view());
    front.raw(sealed);
    PP_ASSERT(front.size() == notification_bytes);
    return front.take();
}

result<unsealed> unseal(const sealing& how, bytes_view sealed, const crypto::prekey_secret& secret) {
    if (sealed.size() != notification_bytes) return errc::bad_message;
    if (sealed[0] != std::byte{version_1}) return errc::unknown_version;
    const auto front = sealed.first(front_bytes);
    const auto closed = sealed.subspan(front_bytes);
    const auto plain = crypto::hpke::open(secret, as_bytes(how.purpose), front, closed);
    if (!plain) return errc::not_for_us;
    wire::byte_reader outer(*plain);
    unsealed out;
    out.fields = to_bytes(outer.sized16(sealed_fields_bytes_max));
    out.sig = outer.fixed<crypto::signature>();
    if (auto ahead = outer; ahead.left() >= work_part_bytes && ahead.u8() == work_follows) {
        out.work = ahead.u64();
        outer = ahead;
    }
    if (!all_zero(outer.rest()) || outer.failed()) return errc::bad_message;
    const auto enc = closed.first(crypto::hpke::enc_bytes);
    out.signed_content = signed_content(how, crypto::prekey_of(secret), enc, out.fields);
    return out;
}

void write(wire::byte_writer& out, const return_path& way) {
    out.u32(way.prekey_id).fixed(way.key).i64(way.not_after).text8(way.slot, slot_text_bytes_max);
}

return_path read_way(wire::byte_reader& in) {
    return_path way;
    way.prekey_id = in.u32();
    way.key = in.fixed<crypto::prekey>();
    way.not_after = in.i64();
    way.slot = in.text8(slot_text_bytes_max);
    return way;
}

void write(wire::byte_writer& out, const token_grant& g) {
    const auto n = std::min(g.tokens.size(), granted_tokens_max);
    out.fixed(g.relay).raw(g.slot).u16(g.week).u8(static_cast<std::uint8_t>(n));
    for (std::size_t i = 0; i < n; ++i) out.raw(g.tokens[i]);
}

token_grant read_grant(wire::byte_reader& in) {
    token_grant g;
    g.relay = in.fixed<account_key>();
    g.slot = in.array<16>();
    g.week = in.u16();
    const auto n = in.u8();
    if (n == 0 || n > granted_tokens_max) in.fail();
    for (unsigned i = 0; i < n && !in.failed(); ++i) g.tokens.push_back(in.array<32>());
    return g;
}

}  // namespace pp::peer::layout

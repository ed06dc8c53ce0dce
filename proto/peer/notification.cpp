// Notifications, sealed and opened (SPEC.md, "Notification"; RFC 9180 base mode).
#include "proto/peer/layout.hpp"

namespace pp::peer {
namespace {

// In front of the sealed part, and its additional data: version | prekey id.
constexpr std::size_t front_bytes = 1 + 4;
constexpr std::size_t plain_bytes = notification_bytes - front_bytes - crypto::hpke::overhead_bytes;
constexpr std::size_t fields_bytes_max =
    16 + 32 + layout::certificate_bytes_max + 4 * 32 - 32 + 3 * 8 + 2 * (1 + local_part_bytes_max);
static_assert(2 + fields_bytes_max + 64 <= plain_bytes, "the fullest notification fits its fixed size");

bytes fields(const notification& n) {
    wire::byte_writer out;
    out.raw(n.id).fixed(n.sender);
    layout::write(out, n.device);
    out.fixed(n.recipient).fixed(n.blob).raw(n.key.view());
    out.u64(n.plain_bytes).u64(n.cipher_bytes).i64(n.submitted_at);
    out.text8(n.sender_local, local_part_bytes_max).text8(n.recipient_local, local_part_bytes_max);
    return out.take();
}

notification read_fields(wire::byte_reader& in) {
    notification n;
    n.id = in.array<16>();
    n.sender = in.fixed<account_key>();
    n.device = layout::read_certificate(in);
    n.recipient = in.fixed<account_key>();
    n.blob = in.fixed<crypto::blob_id>();
    if (const auto key = in.view(crypto::blob_key::size_bytes); !in.failed()) n.key = *crypto::blob_key::from(key);
    n.plain_bytes = in.u64();
    n.cipher_bytes = in.u64();
    n.submitted_at = in.i64();
    n.sender_local = in.text8(local_part_bytes_max);
    n.recipient_local = in.text8(local_part_bytes_max);
    return n;
}

// Covers the key it is sealed to and this very sealing, so that the recipient cannot pass it on as if it had been meant
// for somebody else.
bytes signed_content(const crypto::prekey& recipient_prekey, bytes_view enc, bytes_view content) {
    wire::byte_writer out;
    out.fixed(recipient_prekey).raw(enc).raw(content);
    return layout::signed_bytes(layout::notification_signature_purpose, out.view());
}

bool all_zero(bytes_view data) {
    return std::all_of(data.begin(), data.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

bytes seal_notification(const notification& n, const crypto::signing_key& sender_account, std::uint32_t prekey_id,
                        const crypto::prekey& recipient_prekey) {
    const auto ephemeral = crypto::random<crypto::prekey_secret>();
    return seal_notification_with(ephemeral, n, sender_account, prekey_id, recipient_prekey);
}

bytes seal_notification_with(const crypto::prekey_secret& ephemeral, const notification& n,
                             const crypto::signing_key& sender_account, std::uint32_t prekey_id,
                             const crypto::prekey& recipient_prekey) {
    wire::byte_writer front;
    front.u8(layout::version_1).u32(prekey_id);

    const auto content = fields(n);
    const auto enc = crypto::prekey_of(ephemeral);
    const auto sig = sender_account.sign(signed_content(recipient_prekey, enc.view(), content));
    wire::byte_writer plain;
    plain.sized16(content).fixed(sig);
    plain.zeros(plain_bytes - plain.size());

    const auto sealed = crypto::hpke::seal_with(ephemeral, recipient_prekey, as_bytes(layout::notification_purpose),
                                                front.view(), plain.view());
    front.raw(sealed);
    PP_ASSERT(front.size() == notification_bytes);
    return front.take();
}

std::uint32_t prekey_id_of(bytes_view sealed) {
    if (sealed.size() != notification_bytes) return 0;
    wire::byte_reader reader(sealed.subspan(1));
    return reader.u32();
}

result<notification> open_notification(bytes_view sealed, const crypto::prekey_secret& secret,
                                       const account_key& recipient) {
    if (sealed.size() != notification_bytes) return errc::bad_message;
    if (sealed[0] != std::byte{layout::version_1}) return errc::unknown_version;
    const auto front = sealed.first(front_bytes);
    const auto closed = sealed.subspan(front_bytes);
    const auto plain = crypto::hpke::open(secret, as_bytes(layout::notification_purpose), front, closed);
    if (!plain) return errc::not_for_us;

    wire::byte_reader outer(*plain);
    const auto content = outer.sized16(fields_bytes_max);
    const auto sig = outer.fixed<crypto::signature>();
    if (!all_zero(outer.rest()) || outer.failed()) return errc::bad_message;
    wire::byte_reader inner(content);
    auto n = read_fields(inner);
    if (!inner.complete() || n.device.account != n.sender) return errc::bad_message;
    if (n.recipient != recipient) return errc::not_for_us;
    const auto enc = closed.first(crypto::hpke::enc_bytes);
    if (!crypto::verify(n.sender.view(), signed_content(crypto::prekey_of(secret), enc, content), sig))
        return errc::bad_signature;
    if (const auto good = layout::verify_signature(n.device); !good) return good.error();
    return n;
}

bytes encode_opened(const notification& n) {
    wire::byte_writer out;
    out.u8(layout::version_1).raw(fields(n));
    return out.take();
}

result<notification> decode_opened(bytes_view in) {
    wire::byte_reader reader(in);
    if (reader.u8() != layout::version_1) return in.empty() ? errc::bad_message : errc::unknown_version;
    auto n = read_fields(reader);
    if (!reader.complete() || n.device.account != n.sender) return errc::bad_message;
    return n;
}

}  // namespace pp::peer

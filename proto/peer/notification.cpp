// Notifications, sealed and opened (SPEC.md, "Notification"; RFC 9180 base mode).
#include "proto/peer/layout.hpp"

namespace pp::peer {
namespace {

constexpr std::size_t introduction_bytes_max = 1 + layout::way_bytes_max + 34 + 16;
constexpr std::size_t fields_bytes_max = 16 + 32 + layout::certificate_bytes_max + 4 * 32 - 32 + 3 * 8 +
                                         2 * (1 + local_part_bytes_max) + introduction_bytes_max;
static_assert(fields_bytes_max + layout::work_part_bytes <= layout::sealed_fields_bytes_max,
              "the fullest notification fits its fixed size");
constexpr layout::sealing notification_sealing{layout::notification_purpose, layout::notification_signature_purpose};
constexpr std::uint8_t has_token = 1, has_invite = 2;

bytes fields(const notification& n) {
    wire::byte_writer out;
    out.raw(n.id).fixed(n.sender);
    layout::write(out, n.device);
    out.fixed(n.recipient).fixed(n.blob).raw(n.key.view());
    out.u64(n.plain_bytes).u64(n.cipher_bytes).i64(n.submitted_at);
    out.text8(n.sender_local, local_part_bytes_max).text8(n.recipient_local, local_part_bytes_max);
    if (!n.answer) return out.take();
    const bool token = n.answer->token != std::array<std::byte, 34>{},
               invite = n.answer->invite != std::array<std::byte, 16>{};
    out.u8(static_cast<std::uint8_t>((token ? has_token : 0) | (invite ? has_invite : 0)));
    layout::write(out, n.answer->way);
    if (token) out.raw(n.answer->token);
    if (invite) out.raw(n.answer->invite);
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
    if (in.failed() || in.left() == 0) return n;
    auto& answer = n.answer.emplace();
    const auto has = in.u8();
    if (has > (has_token | has_invite)) in.fail();
    answer.way = layout::read_way(in);
    if (has & has_token) answer.token = in.array<34>();
    if (has & has_invite) answer.invite = in.array<16>();
    if ((has & has_token) && answer.token == std::array<std::byte, 34>{}) in.fail();   // one encoding of "none"
    if ((has & has_invite) && answer.invite == std::array<std::byte, 16>{}) in.fail();
    return n;
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
    return layout::seal(notification_sealing, ephemeral, fields(n), sender_account, prekey_id, recipient_prekey,
                        n.work);
}

std::uint32_t prekey_id_of(bytes_view sealed) {
    if (sealed.size() != notification_bytes) return 0;
    wire::byte_reader reader(sealed.subspan(1));
    return reader.u32();
}

result<notification> open_notification(bytes_view sealed, const crypto::prekey_secret& secret,
                                       const account_key& recipient) {
    const auto opened = layout::unseal(notification_sealing, sealed, secret);
    if (!opened) return opened.error();
    wire::byte_reader inner(opened->fields);
    auto n = read_fields(inner);
    if (!inner.complete() || n.device.account != n.sender) return errc::bad_message;
    n.work = opened->work;
    if (n.recipient != recipient) return errc::not_for_us;
    if (!crypto::verify(n.sender.view(), opened->signed_content, opened->sig)) return errc::bad_signature;
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

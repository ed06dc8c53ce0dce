// Letters (SPEC.md, "Letter").
#include "proto/peer/letter.hpp"

#include "proto/peer/layout.hpp"
#include "proto/wire/clean_text.hpp"

namespace pp::peer {
namespace {

enum class part : std::uint8_t { record = 1, tokens = 2, receipt = 3, refusal = 4, way = 5 };

constexpr layout::sealing letter_sealing{layout::letter_purpose, layout::letter_signature_purpose};
constexpr std::size_t letter_front_bytes = 32 + 32 + 8;
static_assert(letter_front_bytes + sealed_parts_bytes_max <= layout::sealed_fields_bytes_max,
              "the longest letter fits");

// Parts in the order of their kinds; each u8 kind | u16 length | content.
struct part_writer {
    wire::byte_writer out;
    std::size_t left = letter_parts_max;
    void put(part kind, bytes_view content) {
        if (left == 0) return;
        --left;
        out.u8(static_cast<std::uint8_t>(kind)).sized16(content);
    }
};

bytes written(const token_grant& g) {
    wire::byte_writer out;
    layout::write(out, g);
    return out.take();
}

bool read_part(part kind, bytes_view content, letter& into) {
    wire::byte_reader in(content);
    switch (kind) {
    case part::record:
        if (content.empty() || content.size() > record_bytes_max) return false;
        into.records.push_back(to_bytes(in.rest()));
        break;
    case part::tokens: into.grants.push_back(layout::read_grant(in)); break;
    case part::receipt:
        if (content.empty()) return false;
        into.receipts.push_back(to_bytes(in.rest()));
        break;
    case part::refusal: {
        auto& r = into.refusals.emplace_back();
        r.id = in.array<16>();
        r.reason = in.text8(reason_bytes_max);
        break;
    }
    case part::way: into.ways.push_back(layout::read_way(in)); break;
    default: return true;   // of a later version
    }
    return in.complete();
}

}  // namespace

bytes encode(const letter& l) {
    part_writer w;
    for (const auto& record : l.records) w.put(part::record, record);
    for (const auto& g : l.grants)
        if (!g.tokens.empty()) w.put(part::tokens, written(g));
    for (const auto& receipt : l.receipts) w.put(part::receipt, receipt);
    for (const auto& r : l.refusals) {
        wire::byte_writer out;
        out.raw(r.id).text8(wire::clean_text(r.reason, reason_bytes_max), reason_bytes_max);
        w.put(part::refusal, out.view());
    }
    for (const auto& way : l.ways) {
        wire::byte_writer out;
        layout::write(out, way);
        w.put(part::way, out.view());
    }
    return w.out.take();
}

result<letter> decode_letter(bytes_view in) {
    letter out;
    wire::byte_reader reader(in);
    for (std::size_t parts = 0; reader.left() > 0; ++parts) {
        if (parts == letter_parts_max) return errc::too_large;
        const auto kind = static_cast<part>(reader.u8());
        const auto content = reader.sized16(0xffff);
        if (reader.failed() || !read_part(kind, content, out)) return errc::bad_message;
    }
    return out;
}

bytes seal_letter(const sealed_letter& l, const crypto::signing_key& sender_account, std::uint32_t prekey_id,
                  const crypto::prekey& recipient_prekey) {
    const auto ephemeral = crypto::random<crypto::prekey_secret>();
    return seal_letter_with(ephemeral, l, sender_account, prekey_id, recipient_prekey);
}

bytes seal_letter_with(const crypto::prekey_secret& ephemeral, const sealed_letter& l,
                       const crypto::signing_key& sender_account, std::uint32_t prekey_id,
                       const crypto::prekey& recipient_prekey) {
    const auto parts = encode(l.content);
    PP_ASSERT(parts.size() <= sealed_parts_bytes_max);
    wire::byte_writer fields;
    fields.fixed(l.sender).fixed(l.recipient).i64(l.written_at).raw(parts);
    return layout::seal(letter_sealing, ephemeral, fields.view(), sender_account, prekey_id, recipient_prekey);
}

result<sealed_letter> open_letter(bytes_view sealed, const crypto::prekey_secret& secret,
                                  const account_key& recipient) {
    const auto opened = layout::unseal(letter_sealing, sealed, secret);
    if (!opened) return opened.error();
    if (opened->work) return errc::bad_message;   // of notifications only
    wire::byte_reader in(opened->fields);
    sealed_letter out;
    out.sender = in.fixed<account_key>();
    out.recipient = in.fixed<account_key>();
    out.written_at = in.i64();
    const auto parts = in.rest();
    if (in.failed()) return errc::bad_message;
    if (out.recipient != recipient) return errc::not_for_us;
    if (!crypto::verify(out.sender.view(), opened->signed_content, opened->sig)) return errc::bad_signature;
    auto content = decode_letter(parts);
    if (!content) return content.error();
    out.content = std::move(*content);
    return out;
}

}  // namespace pp::peer

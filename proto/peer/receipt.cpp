// Receipts (SPEC.md, "Receipt").
#include "proto/peer/layout.hpp"

namespace pp::peer {
namespace {

bytes signed_part(const receipt& r) {
    wire::byte_writer out;
    out.u8(layout::version_1).raw(r.id).fixed(r.recipient).fixed(r.sender).fixed(r.blob).i64(r.stored_at);
    layout::write(out, r.device);
    return out.take();
}

}  // namespace

bytes encode(const receipt& r) {
    wire::byte_writer out;
    out.raw(signed_part(r)).fixed(r.sig);
    return out.take();
}

result<receipt> decode_receipt(bytes_view in) {
    wire::byte_reader reader(in);
    if (reader.u8() != layout::version_1) return in.empty() ? errc::bad_message : errc::unknown_version;
    receipt r;
    r.id = reader.array<16>();
    r.recipient = reader.fixed<account_key>();
    r.sender = reader.fixed<account_key>();
    r.blob = reader.fixed<crypto::blob_id>();
    r.stored_at = reader.i64();
    r.device = layout::read_certificate(reader);
    r.sig = reader.fixed<crypto::signature>();
    if (!reader.complete()) return errc::bad_message;
    return r;
}

receipt make_receipt(const notification& n, const device_certificate& mine, const crypto::signing_key& device,
                     unix_s now) {
    receipt r;
    r.id = n.id;
    r.recipient = n.recipient;
    r.sender = n.sender;
    r.blob = n.blob;
    r.stored_at = now;
    r.device = mine;
    r.sig = device.sign(layout::signed_bytes(layout::receipt_purpose, signed_part(r)));
    return r;
}

result<void> verify(const receipt& r) {
    if (r.device.account != r.recipient) return errc::bad_signature;
    if (const auto good = layout::verify_signature(r.device); !good) return good.error();
    if (!crypto::verify(r.device.device.view(), layout::signed_bytes(layout::receipt_purpose, signed_part(r)), r.sig))
        return errc::bad_signature;
    if (r.stored_at > r.device.not_after) return errc::expired;   // the device spoke for the account no more
    return {};
}

}  // namespace pp::peer

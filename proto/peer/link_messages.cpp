// HELLO and the requests and replies of a link (SPEC.md, "HELLO", "Requests").
#include "crypto/blob_cipher.hpp"
#include "crypto/work.hpp"
#include "proto/peer/layout.hpp"
#include "proto/peer/protocols.hpp"

namespace pp::peer {
namespace {

constexpr std::size_t receipt_bytes_max = 1 + 16 + 3 * 32 + 8 + layout::certificate_bytes_max + 64;
constexpr std::size_t ride_along_bytes_max = notify_request_bytes_max - notification_bytes;
static_assert(ride_along_bytes_max >= crypto::blob_header_bytes + crypto::chunk_cipher_bytes,
              "a blob of one chunk can ride along");
static_assert(1 + (2 + receipt_bytes_max) + (1 + reason_bytes_max) <= small_message_bytes_max);
static_assert(hello_bytes_max >= 2 + 2 + 1 + 32 + layout::certificate_bytes_max + 2 + record_bytes_max + 1 +
                                     endpoint_bytes_max);
static_assert(fetch_reply_bytes_max >= 1 + crypto::blob_header_bytes + 8 + 32 + 1 + 32 * proof_hashes_max + 4 +
                                           fetch_chunks_max * crypto::chunk_cipher_bytes);

// What a fetch reply begins with.
constexpr std::uint8_t fetch_not_here = 0, fetch_found = 1, fetch_withdrawn = 2;

// Bit of HELLO's flags: the wanted account follows.
constexpr std::uint8_t hello_wants = 1;

}  // namespace

bytes encode(const hello& h) {
    wire::byte_writer out;
    out.u16(h.version_min).u16(h.version_max).u8(h.wanted ? hello_wants : 0);
    if (h.wanted) out.fixed(*h.wanted);
    layout::write(out, h.mine);
    out.sized16(h.record).text8(h.observed, endpoint_bytes_max);
    return out.take();
}

result<hello> decode_hello(bytes_view in) {
    if (in.size() > hello_bytes_max) return errc::too_large;
    wire::byte_reader reader(in);
    hello h;
    h.version_min = reader.u16();
    h.version_max = reader.u16();
    const auto flags = reader.u8();
    if (flags & ~hello_wants) return errc::bad_message;
    if (flags & hello_wants) h.wanted = reader.fixed<account_key>();
    h.mine = layout::read_certificate(reader);
    h.record = to_bytes(reader.sized16(record_bytes_max));
    h.observed = reader.text8(endpoint_bytes_max);
    if (!reader.complete() || h.version_min == 0 || h.version_min > h.version_max) return errc::bad_message;
    return h;
}

bytes encode(const notify_request& r) {
    wire::byte_writer out;
    out.raw(r.sealed).raw(r.ride_along);
    return out.take();
}

result<notify_request> decode_notify_request(bytes_view in) {
    if (in.size() > notify_request_bytes_max) return errc::too_large;
    wire::byte_reader reader(in);
    notify_request r;
    r.sealed = to_bytes(reader.view(notification_bytes));
    r.ride_along = to_bytes(reader.rest());
    if (reader.failed() || (!r.ride_along.empty() && r.ride_along.size() <= crypto::blob_header_bytes))
        return errc::bad_message;
    return r;
}

bytes encode(const notify_reply& r) {
    wire::byte_writer out;
    const bytes bits{static_cast<std::byte>(r.work_bits)};
    const bool work = r.status == notify_status::work_needed;
    out.u8(static_cast<std::uint8_t>(r.status))
        .sized16(work ? bits : r.signed_receipt)
        .text8(r.reason, reason_bytes_max);
    return out.take();
}

result<notify_reply> decode_notify_reply(bytes_view in) {
    wire::byte_reader reader(in);
    const auto status = reader.u8();
    if (status < static_cast<std::uint8_t>(notify_status::stored) ||
        status > static_cast<std::uint8_t>(notify_status::work_needed))
        return errc::bad_message;
    notify_reply r;
    r.status = static_cast<notify_status>(status);
    r.signed_receipt = to_bytes(reader.sized16(receipt_bytes_max));
    r.reason = reader.text8(reason_bytes_max);
    if (!reader.complete()) return errc::bad_message;
    if (r.status == notify_status::work_needed) {   // the number of bits stands where a receipt would
        if (r.signed_receipt.size() != 1) return errc::bad_message;
        r.work_bits = static_cast<std::uint8_t>(r.signed_receipt.front());
        r.signed_receipt.clear();
        if (r.work_bits == 0 || r.work_bits > crypto::work::bits_max) return errc::bad_message;
        return r;
    }
    if ((r.status == notify_status::stored) == r.signed_receipt.empty()) return errc::bad_message;
    return r;
}

bytes encode(const fetch_request& r) {
    wire::byte_writer out;
    out.fixed(r.blob).u64(r.first_chunk).u32(r.chunks);
    return out.take();
}

result<fetch_request> decode_fetch_request(bytes_view in) {
    wire::byte_reader reader(in);
    fetch_request r;
    r.blob = reader.fixed<crypto::blob_id>();
    r.first_chunk = reader.u64();
    r.chunks = reader.u32();
    if (!reader.complete() || r.chunks == 0 || r.chunks > fetch_chunks_max) return errc::bad_message;
    return r;
}

bytes encode(const fetch_reply& r) {
    wire::byte_writer out;
    if (!r.found) return out.u8(r.withdrawn ? fetch_withdrawn : fetch_not_here).take();
    PP_ASSERT(r.header.size() == crypto::blob_header_bytes && r.proof.size() <= proof_hashes_max);
    out.u8(fetch_found).raw(r.header).u64(r.cipher_bytes).fixed(r.root).u8(static_cast<std::uint8_t>(r.proof.size()));
    for (const auto& hash : r.proof) out.fixed(hash);
    return out.sized32(r.data).take();
}

result<fetch_reply> decode_fetch_reply(bytes_view in) {
    if (in.size() > fetch_reply_bytes_max) return errc::too_large;
    wire::byte_reader reader(in);
    fetch_reply r;
    const auto found = reader.u8();
    if (found > fetch_withdrawn) return errc::bad_message;
    r.found = found == fetch_found;
    r.withdrawn = found == fetch_withdrawn;
    if (r.found) {
        r.header = to_bytes(reader.view(crypto::blob_header_bytes));
        r.cipher_bytes = reader.u64();
        r.root = reader.fixed<crypto::hash256>();
        const std::size_t hashes = reader.u8();
        if (hashes > proof_hashes_max) return errc::bad_message;
        for (std::size_t i = 0; i < hashes && !reader.failed(); ++i) r.proof.push_back(reader.fixed<crypto::hash256>());
        r.data = to_bytes(reader.sized32(fetch_chunks_max * crypto::chunk_cipher_bytes));
    }
    if (!reader.complete()) return errc::bad_message;
    return r;
}

result<void> verify_fetch(const fetch_request& request, const fetch_reply& reply) {
    using crypto::chunk_cipher_bytes;
    if (!reply.found || reply.header.size() != crypto::blob_header_bytes) return errc::bad_proof;
    crypto::blob_header header;
    std::copy(reply.header.begin(), reply.header.end(), header.begin());
    if (crypto::make_blob_id(header, reply.cipher_bytes, reply.root) != request.blob) return errc::bad_proof;

    if (reply.cipher_bytes == 0) return errc::bad_proof;
    const std::uint64_t total = (reply.cipher_bytes - 1) / chunk_cipher_bytes + 1;
    const std::uint64_t last_bytes = reply.cipher_bytes - (total - 1) * chunk_cipher_bytes;
    if (last_bytes <= crypto::chunk_tag_bytes) return errc::bad_proof;
    if (request.first_chunk >= total || reply.data.empty()) return errc::bad_proof;

    std::vector<crypto::hash256> leaves;
    auto rest = bytes_view(reply.data);
    while (!rest.empty()) {
        const auto index = request.first_chunk + leaves.size();
        if (leaves.size() == request.chunks || index >= total) return errc::bad_proof;
        const auto size = static_cast<std::size_t>(index + 1 == total ? last_bytes : chunk_cipher_bytes);
        if (rest.size() < size) return errc::bad_proof;
        leaves.push_back(crypto::merkle::leaf_hash(rest.first(size)));
        rest = rest.subspan(size);
    }
    if (!crypto::merkle::verify_range(reply.root, total, request.first_chunk, leaves, reply.proof))
        return errc::bad_proof;
    return {};
}

bytes encode(const receipt_message& m) { return m.signed_receipt; }

result<receipt_message> decode_receipt_message(bytes_view in) {
    if (in.empty() || in.size() > receipt_bytes_max) return errc::bad_message;
    return receipt_message{to_bytes(in)};
}

bytes encode(const contact_request& r) { return to_bytes(bytes_view(r.token)); }

result<contact_request> decode_contact_request(bytes_view in) {
    wire::byte_reader reader(in);
    contact_request r;
    r.token = reader.array<16>();
    if (!reader.complete()) return errc::bad_message;
    return r;
}

bytes encode(const contact_reply& r) { return bytes{static_cast<std::byte>(r.status)}; }

result<contact_reply> decode_contact_reply(bytes_view in) {
    wire::byte_reader reader(in);
    const auto status = reader.u8();
    if (!reader.complete() || status < 1 || status > 2) return errc::bad_message;
    return contact_reply{static_cast<contact_status>(status)};
}

}  // namespace pp::peer

#include "daemon/engine/fetch_plan.hpp"

#include "proto/peer/protocols.hpp"

#include <algorithm>

namespace pp::engine {

fetch_plan::fetch_plan(const crypto::blob_id& blob, std::uint64_t cipher_bytes, std::uint64_t kept_chunks,
                       std::uint32_t first_range)
    : blob_(blob), cipher_bytes_(cipher_bytes),
      total_(cipher_bytes == 0 ? 0 : (cipher_bytes - 1) / crypto::chunk_cipher_bytes + 1), kept_(kept_chunks),
      range_(std::clamp(first_range, 1u, peer::fetch_chunks_max)) {
    if (kept_ > total_) {
        must_restart_ = true;
        kept_ = 0;
    }
}

std::optional<peer::fetch_request> fetch_plan::next() const {
    if (finished() || total_ == 0) return std::nullopt;
    peer::fetch_request request;
    request.blob = blob_;
    // All is kept but the header, after a crash before the end: it comes with any chunk.
    request.first_chunk = std::min(kept_, total_ - 1);
    request.chunks = static_cast<std::uint32_t>(std::min<std::uint64_t>(range_, total_ - request.first_chunk));
    return request;
}

std::size_t fetch_plan::answer_bytes_max(const peer::fetch_request& asked) const {
    const auto left = cipher_bytes_ - asked.first_chunk * crypto::chunk_cipher_bytes;
    const auto chunks = std::min<std::uint64_t>(asked.chunks * std::uint64_t{crypto::chunk_cipher_bytes}, left);
    return static_cast<std::size_t>(chunks) + peer::fetch_reply_overhead_bytes_max;
}

fetch_step fetch_plan::accept(const peer::fetch_request& asked, peer::fetch_reply reply) {
    using kind = fetch_step::kind;
    if (!reply.found) return {reply.withdrawn ? kind::withdrawn : kind::gone, {}};
    if (asked.blob != blob_ || reply.cipher_bytes != cipher_bytes_ || !peer::verify_fetch(asked, reply))
        return {kind::wrong, {}};
    crypto::blob_header header;
    std::copy_n(reply.header.begin(), header.size(), header.begin());
    if (header_ && (*header_ != header || root_ != reply.root)) {
        // Cannot be while the blob id commits to both; what was kept under another header is worth nothing.
        header_.reset();
        kept_ = 0;
        return {kind::restart, {}};
    }
    header_ = header;
    root_ = reply.root;
    if (asked.first_chunk != kept_) return {kind::keep, {}};   // the header alone, or an answer that came twice
    kept_ += (reply.data.size() - 1) / crypto::chunk_cipher_bytes + 1;
    range_ = std::min(2 * range_, peer::fetch_chunks_max);
    return {kind::keep, std::move(reply.data)};
}

}  // namespace pp::engine

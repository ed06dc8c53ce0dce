// Fetching one blob, range by range (02-architecture 2.4 steps 8 and 9): what to ask next, what of an answer may be
// kept. Resumes from what an earlier link has brought; unverified bytes never leave it.
#pragma once

#include "crypto/blob_cipher.hpp"
#include "proto/peer/messages.hpp"

#include <optional>

namespace pp::engine {

struct fetch_step {
    enum class kind {
        keep,       // append `chunks` (empty: only the header was missing), then ask next()
        restart,    // what was kept belongs to another blob: throw it away, then ask next()
        gone,       // this source does not have the blob
        withdrawn,  // its sender has given the mail up
        wrong,      // this source's bytes are not the blob: do not ask it again
    };
    kind what = kind::wrong;
    bytes chunks;
};

class fetch_plan {
public:
    // cipher_bytes as notified; kept_chunks as the partial blob on disk holds them. first_range: so many chunks are
    // asked for at first, then twice as many each time: of an answer that breaks off nothing is kept.
    fetch_plan(const crypto::blob_id& blob, std::uint64_t cipher_bytes, std::uint64_t kept_chunks,
               std::uint32_t first_range = peer::fetch_chunks_max);

    // True when more is kept than the blob has: it must be thrown away before the first request.
    bool must_restart() const { return must_restart_; }
    // nullopt when finished.
    std::optional<peer::fetch_request> next() const;
    // No honest answer to next() is larger.
    std::size_t answer_bytes_max(const peer::fetch_request& asked) const;
    // The answer to next().
    fetch_step accept(const peer::fetch_request& asked, peer::fetch_reply reply);
    // Every chunk is kept and the header known.
    bool finished() const { return kept_ == total_ && header_.has_value(); }

    std::uint64_t kept_chunks() const { return kept_; }
    // From the first verified answer on.
    const std::optional<crypto::blob_header>& header() const { return header_; }

private:
    crypto::blob_id blob_;
    std::uint64_t cipher_bytes_, total_, kept_;
    std::uint32_t range_;
    std::optional<crypto::blob_header> header_;
    crypto::hash256 root_;
    bool must_restart_ = false;
};

}  // namespace pp::engine

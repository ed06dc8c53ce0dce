// From the sender's ciphertext to the recipient's own: verified, decrypted, and written below the block that this node
// puts in front, under a key of her own. Blocking; large mails on a worker.
#pragma once

#include "proto/peer/messages.hpp"
#include "storage/blob_store.hpp"

#include <functional>

namespace pp::net {

using chunk_source = std::function<result<bytes>(std::uint64_t index)>;

// errc of crypto when it does not open, of storage when it cannot be written; peer::errc::forged_author when another
// than its sender stands in its From.
result<void> reencrypt(const peer::notification& note, const crypto::blob_header& header, const chunk_source& chunk,
                       std::string_view block, storage::blob_writer& into);
// All chunks of it lead to the blob id (proto/peer/SPEC.md, "Fetch"). crypto::errc::bad_proof.
result<void> is_the_blob(const peer::notification& note, const crypto::blob_header& header, const chunk_source& chunk);
// The same as reencrypt() for a blob of one chunk that came with its notification: header | ciphertext. The caller has
// checked it against the blob id (engine::is_notified_blob).
result<void> reencrypt_small(const peer::notification& note, bytes_view ride_along, std::string_view block,
                             storage::blob_writer& into);

}  // namespace pp::net

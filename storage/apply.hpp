// Applies operations to the view: the same code when a job runs, after a crash and when the view is rebuilt.
#pragma once

#include "storage/view.hpp"

namespace pp::storage {

struct apply_context {
    rows& r;
    const crypto::row_key& shred_key;
    // Blobs that lost their last reference (a later operation may give them a new one), and those that were cleared:
    // for the live writer, which logs clear operations and removes files. Replay leaves both null.
    std::vector<std::uint64_t>* unreferenced = nullptr;
    std::vector<crypto::blob_id>* cleared = nullptr;
    // The rows that the next set_flags changes, one for each of its items, when the job has read them anyway.
    const std::vector<message_row>* read_before = nullptr;
};

// errc::damaged for an operation that cannot be (it was authentic, so the view is wrong); errc::limit; errors of rows.
result<void> apply_operation(const operation& o, apply_context& c);

// A blob's key, as its row keeps it. errc::damaged.
result<crypto::blob_key> unwrap_blob_key(const crypto::row_key& shred_key, std::uint64_t serial, const blob_row& b);

}  // namespace pp::storage

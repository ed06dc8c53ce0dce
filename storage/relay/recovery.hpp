// Opening an index that may be damaged. LMDB trusts its file, and there is no log to make it again from: so it is
// looked at before it is mapped, and what cannot be trusted is put aside as index.damaged-<n>. Its rows tell by their
// seals what they are; those that still open make a new index, with a new store id. What they do not have the senders
// bring again (proto/relay/SPEC.md, "Walks of a client").
#pragma once

#include "storage/relay/index.hpp"
#include "storage/relay/limits.hpp"
#include "storage/view_marks.hpp"

namespace pp::storage::relay {

struct recovery_report {
    std::string kept_as;                        // the damaged index, beside the new one; empty: nothing was damaged
    bool nothing_opens = false;                 // not one row of it
    std::uint64_t slots = 0, items = 0, seeds = 0;                  // saved
    std::optional<std::uint64_t> slots_before, items_before, seeds_before;
    std::vector<std::string> notes() const;     // sentences for people
};

// Makes the index when there is none. errc::wrong_secret, errc::newer_format, errc::full, errc::io_error,
// errc::no_access.
result<std::unique_ptr<index>> open_index(const std::filesystem::path& folder, const crypto::row_key& key,
                                          std::uint64_t checked_bytes, view_marks& marks, recovery_report& report);

// How many rows do not open, or say what no row says.
result<std::uint64_t> count_damaged_rows(const index& rows);

// Their names, the oldest first.
result<std::vector<std::string>> indexes_put_aside(const std::filesystem::path& folder);

}  // namespace pp::storage::relay

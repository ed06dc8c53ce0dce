// What can be saved from a log with holes and a view that cannot be read: every entry that authenticates is applied, in
// order, as far as it still makes sense.
#pragma once

#include "storage/frame.hpp"
#include "storage/view.hpp"

#include <filesystem>
#include <map>

namespace pp::storage {

struct salvage_report {
    std::uint64_t entries = 0;              // applied, at least in part
    std::uint64_t missing_frames = 0;       // numbers that no frame has any more
    std::uint64_t damaged_bytes = 0;        // that are part of no frame
    std::uint64_t skipped_operations = 0;   // they speak of something that is lost
    std::uint64_t lost_mails = 0;           // placed, but their blob's entry is lost
    std::uint64_t mailboxes_named_anew = 0;
};

// Looks for rows of mailboxes at every place of every page of a damaged view, used or not: the newest of each, whose
// name, UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ count. Empty when the view's identity is lost.
// errc::no_access.
result<std::map<mailbox_id, mailbox>> scan_view_for_mailboxes(const std::filesystem::path& view, const view_keys& keys);

// Applies all authentic entries of a generation to an empty view. UIDs and UIDVALIDITY are as they were; a mailbox
// whose making is lost and that no row of the old view names is called "Recovered-<n>". What a mailbox may have reached
// in the holes is never given again. errc::full, errc::io_error, errc::no_access.
result<salvage_report> salvage_log(const std::filesystem::path& log_folder, std::uint64_t generation,
                                   const log_keys& keys, const crypto::row_key& shred_key, view_env& into,
                                   const std::map<mailbox_id, mailbox>& reached);

}  // namespace pp::storage

// The UIDs of the mailboxes that were opened last, so that SELECT of a large one need not walk its rows each time. Kept
// as ranges, with the modseq at which they were true: what has changed since is in `vanish` and behind the next UID of
// then.
//
// Only what readers have seen is kept: a job may be undone, and another one may be given its modseq.
#pragma once

#include "proto/mail/uid_set.hpp"
#include "storage/records.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace pp::storage {

class uid_lists {
public:
    // Rising. `seen`: the rows of a reader's snapshot. Any thread.
    result<std::vector<std::uint32_t>> of(const rows& seen, mailbox_id box);

    struct known {
        mail::uid_set uids;
        std::uint64_t modseq = 0;       // the mailbox's highest one when these were its UIDs
        std::uint32_t uid_next = 1;     // at the same time
        std::uint64_t used = 0;         // the larger the later
    };

private:
    void keep(mailbox_id box, known list);

    std::mutex mutex_;
    std::map<mailbox_id, known> known_;
    std::uint64_t uses_ = 0;
    std::size_t ranges_ = 0;            // of all of them
};

}  // namespace pp::storage

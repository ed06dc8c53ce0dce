// Which mails no session has been told of yet: each is \Recent to one session only (RFC 3501 section 2.3.2), to the
// first that selects the mailbox for writing or is told of its arrival there.
//
// SELECT writes how far it has come into the store (write_txn::claim_recent). What sessions learn later is kept here
// alone, because a mail that is told of must not wait for another commit. After a start such a mail may be \Recent once
// more, as the RFC has it where a server cannot tell. Any thread.
#pragma once

#include "storage/limits.hpp"
#include "storage/records.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace pp::services {

// Mailboxes remembered; beyond, all are forgotten and what the store says counts again. Room for those of an account.
inline constexpr std::size_t recent_mailboxes_max = storage::mailboxes_max;

class recent_mails {
public:
    // The first UID that nobody has been told of; stored_first: what the store says.
    std::uint32_t first(const std::string& account, storage::mailbox_id box, std::uint32_t stored_first) const;
    // The same; the mails from there up to uid_next are the caller's from now on (none: it returns uid_next or more).
    std::uint32_t claim(const std::string& account, storage::mailbox_id box, std::uint32_t stored_first,
                        std::uint32_t uid_next);

private:
    using key = std::pair<std::string, storage::mailbox_id>;
    mutable std::mutex mutex_;
    std::map<key, std::uint32_t> first_;
};

}  // namespace pp::services

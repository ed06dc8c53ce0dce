// Quick resynchronisation (RFC 7162 section 3.2.5): the QRESYNC parameter of SELECT and EXAMINE, and what it makes the
// server tell between opening the mailbox and the tagged OK.
#pragma once

#include "proto/imap/connection.hpp"

#include <cstdint>
#include <optional>

namespace pp::imap {

struct resync_request {
    std::uint32_t uid_validity = 0;
    std::uint64_t modseq = 0;                    // the last one the client knows
    std::optional<mail::uid_set> known_uids;     // only these are told of; nullopt: all
    mail::uid_set sample_numbers, sample_uids;   // message sequence match data: n-th number, n-th UID
};

// Behind "QRESYNC ", from "(" to ")". Errors are the parser's.
resync_request parse_resync(parser& args);

// The greatest UID up to which the client is known to have missed no removal, by its sample of numbers and UIDs
// (RFC 7162 section 3.2.5.2); 0: none.
std::uint32_t matched_uid(const resync_request& request, const sequence_map& numbers);

// VANISHED (EARLIER), then FETCH responses; nothing when UIDVALIDITY is another one. The mailbox has just been opened
// with this status. nullopt: told, or the session is over.
wire::task<std::optional<reply>> tell_resync(connection& c, const resync_request& request, mailbox_status opened);

}  // namespace pp::imap

// The items of STATUS and of LIST RETURN (STATUS ...): RFC 9051 section 7.3.4, RFC 8438 (SIZE), RFC 7162 section 3.1.7
// (HIGHESTMODSEQ), RFC 7889 section 4 (APPENDLIMIT), RFC 8474 section 4.3 (MAILBOXID), RFC 9208 section 4.1.4
// (DELETED-STORAGE).
#pragma once

#include "proto/imap/events.hpp"
#include "proto/imap/grammar/parser.hpp"

#include <string>
#include <vector>

namespace pp::imap {

class connection;

enum class status_item : std::uint8_t {
    messages, uid_next, uid_validity, unseen, deleted, size, recent, highest_modseq, append_limit, mailbox_id,
    deleted_storage
};

// "(" item *(SP item) ")"; an unknown one fails.
std::vector<status_item> parse_status_items(parser& args);
bool asks_modseq(const std::vector<status_item>& items);
// "STATUS <name> (MESSAGES 3 ...)"
std::string status_line(const connection& c, std::string_view name, const std::vector<status_item>& items,
                        const mailbox_status& status);

}  // namespace pp::imap

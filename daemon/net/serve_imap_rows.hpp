// Rows of the store as the IMAP machine knows them; storage and proto do not know each other.
#pragma once

#include "proto/imap/events.hpp"
#include "storage/records.hpp"

namespace pp::net {

// Both enumerations stand in the order of RFC 6154.
inline imap::special_use to_imap(storage::special_use use) { return static_cast<imap::special_use>(use); }
static_assert(static_cast<int>(imap::special_use::trash) == static_cast<int>(storage::special_use::trash));
static_assert(static_cast<int>(imap::special_use::drafts) == static_cast<int>(storage::special_use::drafts));

// A mailbox as LIST knows it; and a name that is subscribed to and is no mailbox.
inline imap::mailbox_entry entry_of(const storage::mailbox& box) {
    return {box.name, box.id, to_imap(box.use), box.subscribed, true};
}
inline imap::mailbox_entry entry_of_subscription(const std::string& name) {
    return {name, 0, imap::special_use::none, true, false};
}

// Without `recent`, which is of a session.
inline imap::mailbox_status status_of(const storage::mailbox& box) {
    imap::mailbox_status s;
    s.messages = box.messages;
    s.unseen = box.unseen;
    s.deleted = box.deleted;
    s.recent = 0;
    s.uid_next = box.uid_next;
    s.uid_validity = box.uid_validity;
    s.highest_modseq = box.highest_modseq;
    s.size_bytes = box.size_bytes;
    s.mailbox = box.id;
    return s;
}

}  // namespace pp::net

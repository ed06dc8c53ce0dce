// What stands in the mailbox Outgoing for one mail (01-product 1.4): a short mail of our own that says in its Subject
// and in words what the keyword says. Mail programs show keywords they do not know to nobody, and a mail cannot be
// changed in IMAP: with each new state the old one goes and a new one comes. When the user deletes it, which cancels
// the mail, and it lies in Trash then, the last one says so. Pure.
#pragma once

#include "crypto/bytes.hpp"
#include "daemon/engine/delivery_times.hpp"
#include "storage/records.hpp"

#include <string>
#include <vector>

namespace pp::engine {

struct outgoing_mail {
    std::vector<storage::outbox_row> rows;   // the open ones of one mail, at least one
    std::string subject;                     // of the mail, decoded (subject_in); may be empty
    std::string domain;                      // of the account: "<label>.peerpost.alt"
    storage::unix_ms now = 0;
    delivery_times times;
    bool was_deleted = false;                // its note, by the user: the rows are as they are after that (cancelled())
};
// RFC 5322, ASCII, lines with CRLF. Recipients beyond people_named_max (delivery_words.hpp) are counted, not named.
bytes outgoing_text(const outgoing_mail& m);
// What stands with it: of outgoing_flags(), or cancelled_keyword.
std::string outgoing_keyword(const outgoing_mail& m);
// Its Message-ID: by it, peerpost knows its own mails. `keyword`: of outgoing_keyword().
std::string outgoing_message_id(const storage::id16& submission, std::string_view keyword, std::string_view domain);

}  // namespace pp::engine

// The detachable block in front of an incoming mail (01-product 1.5): who sent it, and how this node knows the sender's
// key. The mail below it is not changed by one byte; cutting the block off gives back what was submitted.
#pragma once

#include "proto/mail/address.hpp"
#include "storage/records.hpp"

#include <string>

namespace pp::engine {

struct arrival {
    std::string node;                                          // name of this node: the authserv-id of RFC 8601
    // label.peerpost.alt of the account whose seal was opened
    std::string sender_domain;
    storage::known_by known = storage::known_by::request;      // how its key became known
    mail::address recipient;                                   // whom it was sent to
};

// The mail keeps every byte it was sent with, so a field of the same name that the sender wrote stays below: whoever
// filters reads the topmost field only (RFC 8601 section 4.1).
//
// Delivered-To and Authentication-Results (RFC 8601 section 2.2), lines with CRLF, no blank line behind. Whatever the
// values hold, these are the only two fields.
std::string authentication_results(const arrival& a);

// "your invitation was used", "the first mail of this sender"...: for Authentication-Results and for people.
std::string_view sentence_of(storage::known_by how);

}  // namespace pp::engine

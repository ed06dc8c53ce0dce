// Errors of the store as values. daemon/services/error_text maps them to SMTP, IMAP and sentences for people.
#pragma once

#include "crypto/error.hpp"

namespace pp::storage {

enum class errc {
    not_found = 1,
    exists_already,
    no_such_mailbox,
    mailbox_exists,
    bad_mailbox_name,
    cannot_delete,          // INBOX
    too_large,
    full,                   // disk or quota; heals when there is room
    read_only,              // writing stopped after an error; see cause in the log; reads go on
    io_error,
    damaged,                // bytes that do not authenticate where they must
    log_lost,               // the log ends before what the view has seen: stop, do not repair
    newer_format,           // written by a newer peerpost
    older_format,           // a view of an older one: it is made again from the log
    locked,                 // another process has this home open
    no_keyring,
    wrong_secret,
    limit,                  // a named limit of storage/limits.hpp
    no_access,              // a file that may be sound: no permission, too many open files, no memory
    over_quota,             // the limits of the configuration; heals when something is deleted
};
error_code make_error_code(errc e);
// The system did not give what was asked for: it says nothing about what the file holds.
bool is_of_the_system(const error_code& e);

}  // namespace pp::storage

template <>
struct boost::system::is_error_code_enum<pp::storage::errc> : std::true_type {};

#include "daemon/engine/error_text.hpp"

namespace pp::engine {

error_text text_of(storage::errc e) {
    using storage::errc;
    switch (e) {   // no default: the compiler names the one that is missing
    case errc::not_found: return {550, "5.2.0", "NONEXISTENT", "it is not there any more"};
    case errc::exists_already: return {550, "5.2.0", "ALREADYEXISTS", "it is there already"};
    case errc::no_such_mailbox: return {550, "5.2.0", "NONEXISTENT", "there is no mailbox of that name"};
    case errc::mailbox_exists: return {550, "5.2.0", "ALREADYEXISTS", "a mailbox of that name is there already"};
    case errc::bad_mailbox_name: return {550, "5.2.0", "CANNOT", "a mailbox cannot have that name"};
    case errc::cannot_delete: return {550, "5.2.0", "CANNOT", "INBOX cannot be deleted"};
    case errc::too_large: return {552, "5.3.4", "TOOBIG", "the mail is larger than what is taken here"};
    case errc::full:
        return {452, "4.3.1", "OVERQUOTA",
                "there is no room left on the disk; nothing is lost, try again when there is"};
    case errc::read_only:
        return {451, "4.3.0", "UNAVAILABLE", "the store takes nothing new after a disk error; run peerpost check"};
    case errc::io_error: return {451, "4.3.0", "UNAVAILABLE", "the disk reported an error; run peerpost check"};
    case errc::no_access:
        return {451, "4.3.0", "UNAVAILABLE", "the system refuses a file that is needed; try again later"};
    case errc::damaged: return {451, "4.3.0", "CORRUPTION", "the store is damaged here; run peerpost check"};
    case errc::log_lost:
        return {451, "4.3.0", "UNAVAILABLE", "the end of the log is missing; restore the backup before you go on"};
    case errc::newer_format:
        return {451, "4.3.5", "UNAVAILABLE", "the store was written by a newer peerpost; install that version"};
    case errc::older_format:
        return {451, "4.3.5", "UNAVAILABLE", "the store was written by an older peerpost; start this one again"};
    case errc::locked: return {451, "4.3.0", "INUSE", "another process uses this store"};
    case errc::no_keyring: return {451, "4.3.5", "UNAVAILABLE", "the keyring is missing; put it back from a backup"};
    case errc::wrong_secret: return {451, "4.3.5", "UNAVAILABLE", "the keyring cannot be opened with this secret"};
    case errc::over_quota:
        return {552, "5.2.2", "OVERQUOTA", "the account has as much as peerpost.toml allows; delete something first"};
    case errc::limit: return {452, "4.5.3", "LIMIT", "a limit of the store is reached"};
    }
    return {451, "4.3.0", "SERVERBUG", "an error that is not in the table happened"};
}

}  // namespace pp::engine

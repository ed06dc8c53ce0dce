#include "storage/error.hpp"

#include "crypto/error_category.hpp"

namespace pp::storage {

namespace {
const char* sentence(errc e) {
    switch (e) {
    case errc::not_found: return "there is no such thing in the store";
    case errc::exists_already: return "it exists already";
    case errc::no_such_mailbox: return "there is no mailbox of this name";
    case errc::mailbox_exists: return "a mailbox of this name exists already";
    case errc::bad_mailbox_name: return "a mailbox cannot have this name";
    case errc::cannot_delete: return "INBOX cannot be deleted";
    case errc::too_large: return "it is too large to be kept";
    case errc::full: return "the disk is full";
    case errc::read_only: return "the store accepts no changes after an error of its disk; reading goes on";
    case errc::io_error: return "the disk could not be read or written";
    case errc::damaged: return "stored bytes are damaged";
    case errc::log_lost: return "the log ends before what was already in use; nothing was changed";
    case errc::newer_format: return "this was written by a newer peerpost";
    case errc::older_format: return "this was written by an older peerpost";
    case errc::locked: return "another process has this home open";
    case errc::no_keyring: return "there is no keyring in this home";
    case errc::wrong_secret: return "the keys do not belong to this store";
    case errc::limit: return "a limit of the store is reached";
    case errc::no_access:
        return "the system refuses a file that is needed: no permission, too many open files, or no memory";
    case errc::over_quota: return "the account has as much as its configuration allows";
    }
    return nullptr;
}
}  // namespace

bool is_of_the_system(const error_code& e) { return e == errc::io_error || e == errc::no_access; }

error_code make_error_code(errc e) {
    static const error_category<errc> category("storage", sentence);
    return category.code(e);
}

}  // namespace pp::storage

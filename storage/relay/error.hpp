// Why a relay's store refuses something, as values beside those of storage/error.hpp (disk full, damaged, ...).
#pragma once

#include "storage/error.hpp"

namespace pp::storage::relay {

enum class errc {
    no_slot = 1,
    token_spent,           // it has paid for something else
    slot_full,             // a quota of the slot
    relay_full,            // a quota of all, or the disk's reserve
    too_large,
    not_found,
    bad_proof,
    wrong_offset,
    no_invite,             // unknown, used or expired
};
error_code make_error_code(errc e);

}  // namespace pp::storage::relay

template <>
struct boost::system::is_error_code_enum<pp::storage::relay::errc> : std::true_type {};

// Errors of the DHT box as values.
#pragma once

#include "crypto/error.hpp"

namespace pp::dht {

enum class errc {
    bad_bencode = 1,     // not the one canonical form, or more of it than the limits allow
    bad_message,         // no KRPC message: fields are missing or of the wrong kind
    bad_address,
    bad_item,            // a value or salt over the limits of BEP 44
    bad_signature,
    expired,             // a record that is out of date
    bad_record,          // opened, but not as SPEC.md says
    not_for_us,          // sealed for another account or day
    too_large,
    too_many,            // more lookups at once than the machine takes
    bad_saved_table,
};
error_code make_error_code(errc e);

}  // namespace pp::dht

template <>
struct boost::system::is_error_code_enum<pp::dht::errc> : std::true_type {};

// Errors of the relay box as values: what is wrong with bytes. What a relay refuses is a status (messages.hpp).
#pragma once

#include "crypto/error.hpp"

namespace pp::relay {

enum class errc {
    bad_message = 1,     // lengths, counts or values that make no sense
    too_large,
    unknown_version,
    bad_link,            // not the link of a relay, or damaged in copying
    bad_signature,
    lost,                // the relay answered with something that fits nothing it was asked
};
error_code make_error_code(errc e);

}  // namespace pp::relay

template <>
struct boost::system::is_error_code_enum<pp::relay::errc> : std::true_type {};

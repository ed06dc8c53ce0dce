// Errors of the peer box as values.
#pragma once

#include "crypto/error.hpp"

namespace pp::peer {

enum class errc {
    bad_message = 1,     // lengths, counts or values that make no sense
    too_large,
    bad_signature,
    expired,
    not_for_us,
    bad_proof,
    wrong_peer,          // another account or device than expected
    unknown_version,
    bad_link,            // not an invite link, or damaged in copying
    bad_frame,
    too_many_streams,
    credit_exceeded,
    unknown_protocol,
    timed_out,
    link_lost,           // the link or the stream ended before the answer
    withdrawn,           // the sender has given the mail up
    forged_author,       // a mail says that somebody else has written it than the account that sends it
};
error_code make_error_code(errc e);

}  // namespace pp::peer

template <>
struct boost::system::is_error_code_enum<pp::peer::errc> : std::true_type {};

// Errors of the mail box as values. proto/mail is a leaf: it includes nothing of ours.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <type_traits>

namespace pp::mail {

template <class T>
using result = boost::system::result<T>;
using boost::system::error_code;

enum class errc {
    empty_local_part = 1,
    bad_local_part,
    bad_domain,
    bad_date,
    bad_uid_set,
    bad_encoding,       // modified UTF-7, RFC 2047, base64: not decodable
    unknown_charset,
    bad_index,          // an encoded message_index that makes no sense or is of a newer version
    header_too_large,
};
error_code make_error_code(errc e);

}  // namespace pp::mail

template <>
struct boost::system::is_error_code_enum<pp::mail::errc> : std::true_type {};

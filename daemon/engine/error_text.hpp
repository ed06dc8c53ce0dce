// The one table of errors as clients and people see them (02-architecture 2.6).
#pragma once

#include "proto/smtp/reply.hpp"
#include "storage/error.hpp"

#include <string_view>

namespace pp::engine {

struct error_text {
    int smtp_code;                  // RFC 5321 section 4.2
    std::string_view smtp_status;   // RFC 3463
    std::string_view imap_code;     // RFC 5530, 7889, 9208: what stands between [ and ]
    std::string_view sentence;      // for people; names no mail, address or path
};

error_text text_of(storage::errc e);
// For any error code: full disks of the operating system count as storage::errc::full, what is not known as an error of
// our own that may heal (451 4.3.0).
error_text text_of(const error_code& e);

smtp::reply reply_of(const error_code& e);

}  // namespace pp::engine

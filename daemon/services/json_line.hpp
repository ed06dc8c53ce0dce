// JSON as a command gives it, over the control socket and to programs: one line, always UTF-8 (RFC 8259 section 8.1).
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace pp::services {

// Without a line end. A name, a Message-ID or a path may hold bytes of any charset, which Boost.JSON writes as they
// are and then refuses to read: each byte that fits nowhere becomes U+FFFD.
std::string json_line(const boost::json::value& value);

}  // namespace pp::services

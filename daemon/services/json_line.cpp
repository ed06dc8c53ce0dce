#include "daemon/services/json_line.hpp"

#include "proto/mail/charset.hpp"

#include <boost/json.hpp>

namespace pp::services {

std::string json_line(const boost::json::value& value) {
    auto line = boost::json::serialize(value);
    if (mail::is_valid_utf8(line)) return line;
    auto mended = mail::to_utf8(line, "utf-8");   // what is wrong stands inside strings: the syntax is ASCII
    return mended ? std::move(*mended) : std::move(line);
}

}  // namespace pp::services

// The values of the Content-* fields of MIME (RFC 2045 section 5.1, RFC 2183, RFC 3282), read with patience: comments
// and blanks may stand anywhere, what makes no sense ends the reading. Names and values stay as they were sent.
#pragma once

#include "proto/mail/message_index.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pp::mail {

struct media_type {
    std::string type, subtype;
    parameter_list parameters;
};
std::optional<media_type> parse_media_type(std::string_view unfolded_value);
std::optional<std::pair<std::string, parameter_list>> parse_disposition(std::string_view unfolded_value);
std::vector<std::string> parse_languages(std::string_view unfolded_value);
std::optional<std::string> parse_transfer_encoding(std::string_view unfolded_value);

// The boundary parameter, also when RFC 2231 section 3 cut it into boundary*0, boundary*1, ...; empty: none.
std::string boundary_of(const parameter_list& parameters);

}  // namespace pp::mail

// The line forms of SASL that IMAP, SMTP and POP3 share: base64 responses, the cancelling "*" (RFC 4954 section 4, RFC
// 9051 section 6.2.2) and the empty initial response "=" (RFC 4959 section 3, RFC 4954 section 4).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pp::sasl {

inline constexpr std::size_t response_line_bytes_max = 12288;   // RFC 4954 section 4, without CRLF

struct client_response {
    enum class kind { text, cancelled, bad } what = kind::bad;
    std::string text;                    // decoded; only for kind::text
};

// A line sent after a challenge. The empty line is an empty text.
client_response read_response(std::string_view line);
// The argument of AUTHENTICATE or AUTH: "=" stands for the empty text; "*" is no base64 and thus bad here.
client_response read_initial_response(std::string_view word);

// Passwords do not stay behind in memory that is given back. The string is empty afterwards.
void wipe(std::string& secret);

}  // namespace pp::sasl

// SMTP replies (RFC 5321 section 4.2) with enhanced status codes (RFC 3463).
#pragma once

#include <string>

namespace pp::smtp {

struct reply {
    int code = 250;               // 2xx, 3xx good; 4xx try again; 5xx no
    std::string enhanced;         // "2.1.5", or empty where RFC 2034 has none
    std::string text;             // one line per LF; the machine folds and numbers the lines
    bool positive() const { return code < 400; }
    bool operator==(const reply&) const = default;
};

// The lines of the reply with their CRLFs: code, hyphen or blank, status code (on every line, RFC 2034 section 4),
// text. Lines longer than 512 bytes are folded at a blank;
// control characters become blanks, so no text can forge a line.
std::string wire_form(const reply& r);

}  // namespace pp::smtp

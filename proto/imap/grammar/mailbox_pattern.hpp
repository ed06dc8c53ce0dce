// Mailbox names against LIST patterns (RFC 9051 section 6.3.9): "*" is anything, "%" anything without the delimiter.
#pragma once

#include <string>
#include <string_view>

namespace pp::imap {

class mailbox_pattern {
public:
    explicit mailbox_pattern(std::string_view text);   // UTF-8
    // In time of at most name times pattern, whatever the stars.
    bool matches(std::string_view name) const;

private:
    std::string text_;   // without neighbouring wildcards that say the same
};

}  // namespace pp::imap

// Mailbox names against LIST patterns (RFC 9051 section 6.3.9): "*" is anything, "%" anything without the delimiter.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

class mailbox_pattern {
public:
    explicit mailbox_pattern(std::string_view text);   // UTF-8
    // Whatever the stars, 64 places of the pattern are looked at together for each byte of the name.
    bool matches(std::string_view name) const;
    // Words of 64 places: how much work a byte of a name is at most.
    std::size_t words() const { return stars_.size(); }

private:
    // One bit for each place of the pattern, and one behind the last.
    using places = std::vector<std::uint64_t>;
    void step_over_wildcards(places& at) const;

    std::size_t size_ = 0;
    places stars_, percents_;
    std::map<char, places> letters_;
};

}  // namespace pp::imap

// The base subject (RFC 5256 section 2.1): what is left of a subject when "Re:", "[list]", "(fwd)" and their like are
// taken away. SORT and THREAD compare it; clients compute the same, so the algorithm is exactly that of the RFC.
#pragma once

#include <string>
#include <string_view>

namespace pp::imap {

struct base_subject {
    std::string text;         // UTF-8, its case as sent; may be empty
    // reply or forward (RFC 5256 section 3, THREAD=REFERENCES): a refwd, (fwd) or [fwd:] was removed
    bool is_reply = false;
    bool operator==(const base_subject&) const = default;
};

// `decoded` is the unfolded field value with its encoded words decoded. Linear in its length.
base_subject base_subject_of(std::string_view decoded);

}  // namespace pp::imap

// What a FETCH command asks for (RFC 9051 section 6.4.5, RFC 3501 section 6.4.5, RFC 3516, RFC 7162 section 3.1.4,
// RFC 8474 section 5, RFC 8514 section 4.3): the list of items and what must be read to answer them.
#pragma once

#include "proto/imap/fetch/fetch_section.hpp"
#include "proto/imap/grammar/parser.hpp"
#include "proto/imap/grammar/partial_range.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pp::imap {

inline constexpr std::size_t fetch_items_max = 256;   // of one command; clients send up to 12

enum class fetch_kind : std::uint8_t {
    flags, uid, internal_date, save_date, size, envelope, body, body_structure, modseq, email_id, thread_id, preview,
    section, binary, binary_size, rfc822, rfc822_header, rfc822_text,
};

struct fetch_item {
    fetch_kind kind = fetch_kind::flags;
    fetch_section section;                    // of section, binary, binary_size and the three rfc822 kinds
    std::optional<fetch_partial> partial;
    bool peek = true;                         // false: sets \Seen

    std::string name() const;                 // as the response writes it: "BODY[1.MIME]<0>"
    bool needs_index() const;
    bool needs_only_structure() const;        // of the index: ENVELOPE, BODY, BODYSTRUCTURE
    bool needs_header() const;                // the mail's own header block
    bool needs_only_listed() const;           // of the header block: fields of mail::is_listed_field
    bool reads_body() const;                  // bytes of the mail beyond its header
    bool operator==(const fetch_item&) const = default;
};

struct fetch_request {
    std::vector<fetch_item> items;            // no doubles
    std::optional<std::uint64_t> changed_since;
    std::optional<partial_range> partial;     // of the mails of the set; UID FETCH only
    bool vanished = false;                    // also what went since then (RFC 7162 section 3.2.6)

    bool has(fetch_kind kind) const;
    bool only_uid() const;                    // and no modifier: the session knows the answer
    bool needs_index() const;
    bool needs_only_structure() const;        // no item needs more of the index
    bool needs_only_body_structure() const;   // nor anything of it but BODYSTRUCTURE
    bool needs_header() const;
    bool needs_only_listed() const;           // no item needs more of the header
    bool reads_body() const;
    bool sets_seen() const;
    void add(fetch_item item);                // unless it is there
};

// Items in parentheses, a macro, or one item.
fetch_request parse_fetch_items(parser& args);
// Everything behind the sequence set: items or a macro, then modifiers. Errors are the parser's.
fetch_request parse_fetch_request(parser& args);
// Behind "[", up to and with "]".
fetch_section parse_section(parser& args);

}  // namespace pp::imap

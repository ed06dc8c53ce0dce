// The structure of one mail, found in a single pass when it arrives and kept beside it: every part with its byte
// ranges, the parsed Content-* fields, the ENVELOPE fields of the mail and of each message/rfc822 part. FETCH answers
// from it without parsing again (05-mail-protocols 5.3).
//
// Promises: ranges are exact for any input, also broken MIME; for every leaf body_bytes equals what BODY[n] returns;
// the CRLF before a boundary belongs to the boundary (RFC 2046 section 5.1.1); the same bytes in other pieces give
// the same index; memory is bounded by the limits below whatever the input.
#pragma once

#include "proto/mail/address.hpp"
#include "proto/mail/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pp::mail {

// 06-security 6.1.3. Beyond a limit parsing stops, never the mail: a part too deep or too many is a leaf of its parent.
inline constexpr std::size_t mime_depth_max = 64;
inline constexpr std::size_t mime_parts_max = 10000;
inline constexpr std::size_t header_block_bytes_max = 1024 * 1024;   // parsed up to there
inline constexpr std::size_t header_field_bytes_max = 64 * 1024;     // a field is parsed up to there
inline constexpr std::size_t header_lines_max = 10000;
inline constexpr std::size_t parameters_max = 64;                    // per field; RFC 2231 sections per name: 16
inline constexpr std::size_t boundary_bytes_max = 200;               // RFC 2046 says 70; seen longer
inline constexpr std::size_t media_type_bytes_max = 127;             // each half of type/subtype: RFC 6838 section 4.2
// All texts of one index together: it lies in memory while FETCH answers. Fields that would pass it are left out.
inline constexpr std::size_t index_text_bytes_max = 16 * 1024 * 1024;

// The types are templates of their text: std::string for an index that lives by itself, std::string_view for one that
// is read once out of the encoded bytes (message_outline), as FETCH does thousands of times a second.
// RFC 2231 joined only by callers that decode
template <class S>
using basic_parameter_list = std::vector<std::pair<S, S>>;
using parameter_list = basic_parameter_list<std::string>;

template <class S>
struct basic_envelope {
    std::optional<S> date, subject, in_reply_to, message_id;               // unfolded, else as sent; nullopt: no field
    std::optional<S> references;              // no ENVELOPE field: what threads are made of (RFC 5256, RFC 8474)
    std::vector<basic_header_address<S>> from, sender, reply_to, to, cc, bcc;   // sender, reply_to default to from
    bool operator==(const basic_envelope&) const = default;
};
using envelope = basic_envelope<std::string>;

template <class S>
struct basic_message_part {
    std::int32_t parent = -1;                 // index into parts; part 0 is the mail itself
    std::uint64_t header_offset = 0, header_bytes = 0;   // with the blank line that ends it
    std::uint64_t body_offset = 0, body_bytes = 0;
    std::uint64_t body_lines = 0;
    S type, subtype;                          // as sent; default text/plain, in multipart/digest message/rfc822
    basic_parameter_list<S> parameters;
    std::optional<S> id, description, encoding, md5, location;
    std::optional<std::pair<S, basic_parameter_list<S>>> disposition;
    std::vector<S> languages;
    std::int32_t envelope_number = -1;        // into envelopes; of a message/rfc822 part: that of the mail inside
    // A multipart's parts, or the one mail inside message/rfc822 (whose own header is the child's header), in order.
    std::vector<std::int32_t> children;

    bool is_multipart() const;                // by type, and with at least one child
    bool is_message() const;                  // message/rfc822 or message/global with a parsed mail inside
    bool operator==(const basic_message_part&) const = default;
};
using message_part = basic_message_part<std::string>;

template <class S>
struct basic_message_index {
    std::uint64_t size_bytes = 0;
    std::vector<basic_message_part<S>> parts;  // never empty
    std::vector<basic_envelope<S>> envelopes;  // never empty; 0 is the mail's own
    bool operator==(const basic_message_index&) const = default;

    std::string encode() const;                              // compact, versioned; of message_index only
    static result<basic_message_index> decode(std::string_view encoded);   // errc::bad_index
};
using message_index = basic_message_index<std::string>;
using message_outline = basic_message_index<std::string_view>;   // valid while the encoded bytes are

// The fields of a header by which clients list a mailbox (05-mail-protocols 5.5): their lines are kept beside the
// index, so that no mail has to be opened for a list. False for fields that no client lists, however often they occur.
bool is_listed_field(std::string_view name);
inline constexpr std::size_t listed_header_bytes_max = 4 * 1024;   // longer: the mail itself has to be read

// The mail's own envelope out of an encoded index, for who needs no more: a few microseconds less. sender and reply_to
// stay empty where they are those of from. errc::bad_index, but what comes behind it is not looked at.
result<envelope> decode_own_envelope(std::string_view encoded);

// Give the mail's bytes in any pieces, then finish().
class message_indexer {
public:
    message_indexer();
    ~message_indexer();
    message_indexer(message_indexer&&) noexcept;
    message_indexer& operator=(message_indexer&&) noexcept;
    void update(std::string_view piece);
    message_index finish();
    // After finish(): the lines of the listed fields of the mail's own header as sent, in their order, and its blank
    // line. filter_header_fields() of them equals that of the whole header for any listed names. nullopt: too long, or
    // so odd that it would not.
    const std::optional<std::string>& listed_header() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};
message_index index_message(std::string_view whole);

// Finds a part by its IMAP number ("1.2.3", RFC 9051 section 6.4.5.1: numbering steps over message/rfc822 into the
// mail inside); nullptr when there is none. An empty number is the mail itself. "1" of a non-multipart is its body.
const message_part* find_part(const message_index& index, std::span<const std::uint32_t> number);

// RFC 9051 section 7.5.2 forms. Strings with CR, LF, NUL or 8-bit bytes become literals (quoted UTF-8 when utf8).
std::string imap_envelope(const envelope& e, bool utf8 = false);
std::string imap_body_structure(const message_index& index, bool extended, bool utf8 = false);
// The same at the end of `out`; S is std::string or std::string_view.
template <class S>
void append_envelope(std::string& out, const basic_envelope<S>& e, bool utf8);
template <class S>
void append_body_structure(std::string& out, const basic_message_index<S>& index, bool extended, bool utf8);
void append_imap_string(std::string& out, std::string_view text, bool utf8);
std::string imap_string(std::string_view text, bool utf8 = false);            // quoted or literal

// The lines of a header block whose field names are (or with `exclude`, are not) in names, with the closing blank line.
std::string filter_header_fields(std::string_view header_block, std::span<const std::string> names, bool exclude);
// Values of one field, unfolded, in order of appearance.
std::vector<std::string> header_values(std::string_view header_block, std::string_view name);
std::string unfold(std::string_view raw_value);

}  // namespace pp::mail

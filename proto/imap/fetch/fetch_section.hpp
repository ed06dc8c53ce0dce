// The section specification of FETCH (RFC 9051 section 6.4.5.1): which bytes of a mail BODY[...] and BINARY[...] mean,
// and where the index of the mail says they are. Knows neither connection nor store.
#pragma once

#include "proto/mail/message_index.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pp::imap {

// Deeper numbers name nothing: the index has no parts below (06-security 6.1.3).
inline constexpr std::size_t section_numbers_max = 2 * mail::mime_depth_max;
inline constexpr std::size_t section_fields_max = 1000;   // names in one HEADER.FIELDS list

enum class section_kind : std::uint8_t { whole, header, header_fields, header_fields_not, text, mime };

struct fetch_section {
    std::vector<std::uint32_t> part;      // "1.2.3"; empty: the mail itself
    section_kind kind = section_kind::whole;
    std::vector<std::string> fields;      // in capitals; of the two header_fields kinds

    // True when only some lines of the header block are asked for.
    bool filters_header() const {
        return kind == section_kind::header_fields || kind == section_kind::header_fields_not;
    }
    // True when the header block of the mail itself is enough to answer.
    bool of_own_header() const { return part.empty() && (kind == section_kind::header || filters_header()); }
    std::string text() const;             // as the response echoes it, without the brackets
    bool operator==(const fetch_section&) const = default;
};

struct byte_range {
    std::uint64_t offset = 0, length = 0;
    bool operator==(const byte_range&) const = default;
};

// <offset.count> of a request.
struct fetch_partial {
    std::uint64_t offset = 0, count = 0;
    bool operator==(const fetch_partial&) const = default;
};

// Where the section lies in the mail; for the header_fields kinds where the whole header block lies. nullopt: there is
// no such part, or HEADER/TEXT is asked of a part that holds no mail (the answer is NIL).
std::optional<byte_range> locate(const fetch_section& section, const mail::message_index& index);

// RFC 9051 section 6.4.5: cut at the end of the text; nothing when it begins beyond.
byte_range clip(byte_range of, const std::optional<fetch_partial>& partial);

}  // namespace pp::imap

// RFC 9051 section 6.4.5.1: section specifications and the byte ranges behind them.
#include "proto/imap/fetch/fetch_section.hpp"

#include <algorithm>
#include <string_view>

namespace pp::imap {

namespace {

// RFC 9051 section 9, ASTRING-CHAR: what may stand without quotes in the echoed field list.
bool is_bare(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("(){%*\"\\").find(c) == std::string_view::npos;
    });
}

std::string_view keyword(section_kind kind) {
    switch (kind) {
    case section_kind::whole: return "";
    case section_kind::header: return "HEADER";
    case section_kind::header_fields: return "HEADER.FIELDS";
    case section_kind::header_fields_not: return "HEADER.FIELDS.NOT";
    case section_kind::text: return "TEXT";
    case section_kind::mime: return "MIME";
    }
    return "";
}

}  // namespace

std::string fetch_section::text() const {
    std::string out;
    for (const auto number : part) {
        if (!out.empty()) out += '.';
        out += std::to_string(number);
    }
    if (kind == section_kind::whole) return out;
    if (!out.empty()) out += '.';
    out += keyword(kind);
    if (!filters_header()) return out;
    out += " (";
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) out += ' ';
        out += is_bare(fields[i]) ? fields[i] : mail::imap_string(fields[i]);
    }
    out += ')';
    return out;
}

std::optional<byte_range> locate(const fetch_section& section, const mail::message_index& index) {
    if (section.part.empty() && section.kind == section_kind::whole) return byte_range{0, index.size_bytes};
    const mail::message_part* part = section.part.empty() ? &index.parts.front() : find_part(index, section.part);
    if (part == nullptr) return std::nullopt;
    switch (section.kind) {
    case section_kind::whole: return byte_range{part->body_offset, part->body_bytes};
    case section_kind::mime: return byte_range{part->header_offset, part->header_bytes};
    default: break;
    }
    if (!section.part.empty()) {   // HEADER and TEXT of a numbered part mean the mail inside
        if (!part->is_message() || part->children.empty()) return std::nullopt;
        part = &index.parts[static_cast<std::size_t>(part->children.front())];
    }
    if (section.kind == section_kind::text) return byte_range{part->body_offset, part->body_bytes};
    return byte_range{part->header_offset, part->header_bytes};
}

byte_range clip(byte_range of, const std::optional<fetch_partial>& partial) {
    if (!partial) return of;
    if (partial->offset >= of.length) return byte_range{of.offset + of.length, 0};
    return byte_range{of.offset + partial->offset, std::min(partial->count, of.length - partial->offset)};
}

}  // namespace pp::imap

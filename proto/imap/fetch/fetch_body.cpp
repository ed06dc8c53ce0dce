// Bytes of mails in FETCH responses: sections (RFC 9051 section 6.4.5.1) and PREVIEW (RFC 8970), piece by piece.
#include "proto/imap/fetch/fetch_writer.hpp"

#include "proto/imap/grammar/response.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/preview.hpp"

#include <algorithm>

namespace pp::imap {

wire::task<> fetch_writer::write_section(const message_row& row, const fetch_item& item, std::string_view name) {
    const bool whole = item.section.part.empty() && item.section.kind == section_kind::whole;
    std::optional<byte_range> place;
    if (whole) place = byte_range{0, row.size_bytes};
    else if (row.index && item.needs_index()) place = locate(item.section, *row.index);
    else place = byte_range{0, row.header.size()};
    if (!place) {
        begin_item(name);
        text_ += "NIL";
        co_return;
    }
    const bool own_header = item.needs_header() && place->length == row.header.size();
    if (item.section.filters_header()) {
        std::string header;
        if (!own_header) {
            auto loaded = co_await load_header(row, *place);
            if (!loaded) co_return;
            header = std::move(*loaded);
        }
        const auto lines = mail::filter_header_fields(own_header ? row.header : header, item.section.fields,
                                                      item.section.kind == section_kind::header_fields_not);
        const auto part = clip({0, lines.size()}, item.partial);
        const auto data = std::string_view(lines).substr(part.offset, part.length);
        co_await write_header(name, data);
        co_return;
    }
    const auto range = clip(*place, item.partial);
    if (own_header) {   // it came with the row: no further question
        const auto data = std::string_view(row.header).substr(range.offset - place->offset, range.length);
        co_await write_header(name, data);
        co_return;
    }
    co_await stream(row, std::string(name), range, literal_form::text);
}

// A header may be mail::header_block_bytes_max long: a client that does not read has it once in memory, not twice.
wire::task<> fetch_writer::write_header(std::string_view name, std::string_view data) {
    if (data.size() < wire::output_high_water_bytes) {
        text_item(name, data, literal_form::text);
        co_return;
    }
    announce(name, data.size(), literal_form::text);
    for (; !data.empty() && !c_.over; data.remove_prefix(std::min(data.size(), wire::output_high_water_bytes))) {
        c_.send(data.substr(0, wire::output_high_water_bytes));
        co_await c_.drained();
    }
}

wire::task<> fetch_writer::stream(const message_row& row, std::string name, byte_range range, literal_form form) {
    if (range.length == 0) {
        text_item(name, {}, form);
        co_return;
    }
    const auto end = range.offset + range.length;
    for (auto at = range.offset; at < end;) {
        const bool first = at == range.offset;
        const byte_range next{at, piece_of(end - at)};
        const auto piece = co_await read_piece(row, next, !first, first ? end : 0);
        if (!piece) co_return;
        if (first) announce(name, range.length, form);
        c_.send(*piece);
        at += next.length;
        co_await c_.drained();
        if (c_.over) co_return;
    }
}

// One piece, whole. nullopt: it could not be had; what follows from that is arranged.
wire::task<std::optional<bytes>> fetch_writer::read_piece(const message_row& row, byte_range range, bool in_literal,
                                                          std::uint64_t literal_end) {
    read_body question;
    question.uid = row.uid;
    question.offset = range.offset;
    question.length = range.length;
    question.literal_end = literal_end;
    auto answer = co_await c_.ask(std::move(question));
    if (auto* piece = std::get_if<bytes>(&answer); piece && piece->size() == range.length) co_return std::move(*piece);
    if (in_literal) {   // the rest of an announced literal cannot be given
        c_.over = true;
        co_return std::nullopt;
    }
    const auto* why = std::get_if<refusal>(&answer);
    if (why && why->bye) {
        give_up(c_.refused(*why));
        co_return std::nullopt;
    }
    // Expunged by another session since the rows were read? Then it is passed over (05-mail-protocols 5.2.6, rule 10).
    read_rows again;
    again.uids.add(row.uid);
    auto rows = co_await c_.ask(std::move(again));
    if (auto* found = std::get_if<std::vector<message_row>>(&rows); found && found->empty()) {
        vanished_ = some_vanished_ = true;
        co_return std::nullopt;
    }
    if (why && why->is_damage()) {
        damaged_ = true;
        trouble_ = c_.refused(*why);
    } else if (why) give_up(c_.refused(*why));
    else give_up(no("A message is shorter than it should be", "SERVERBUG"));
    co_return std::nullopt;
}

// The header block of a mail inside the mail; parsed, and therefore held, up to mail::header_block_bytes_max.
wire::task<std::optional<std::string>> fetch_writer::load_header(const message_row& row, byte_range range) {
    std::string header;
    const auto size = std::min<std::uint64_t>(range.length, mail::header_block_bytes_max);
    while (header.size() < size) {
        const byte_range next{range.offset + header.size(), piece_of(size - header.size())};
        const auto piece = co_await read_piece(row, next, false);
        if (!piece) co_return std::nullopt;
        header += as_text(*piece);
    }
    co_return header;
}

// RFC 8970: from the beginning of the first text of the mail, decoded.
wire::task<> fetch_writer::write_preview(const message_row& row) {
    std::string text;
    if (const auto* part = mail::preview_part(*row.index)) {
        mail::text_decoder decoder(part->encoding.value_or("7bit"), mail::charset_of(*part));
        const auto size = std::min<std::uint64_t>(part->body_bytes, mail::preview_source_bytes_max);
        const byte_range range{part->body_offset, size};
        if (size > 0) {
            const auto piece = co_await read_piece(row, range, false);
            if (!piece) co_return;
            text = decoder.update(as_text(*piece));
            if (size == part->body_bytes) text += decoder.finish();
        }
        text = mail::preview_text(text, mail::is_html(*part));
    }
    begin_item("PREVIEW");
    text_ += string_text(text, c_.utf8());
}

}  // namespace pp::imap

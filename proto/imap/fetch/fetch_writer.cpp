// RFC 9051 section 7.5.2: FETCH responses; RFC 3516 section 4.3: BINARY; RFC 7162 section 3.1.3: MODSEQ; RFC 8474
// section 5: EMAILID, THREADID; RFC 8514 section 4.3: SAVEDATE.
#include "proto/imap/fetch/fetch_writer.hpp"

#include "proto/imap/grammar/response.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/preview.hpp"
#include "proto/mail/structure_outline.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace pp::imap {

namespace {

constexpr std::uint64_t no_end = UINT64_MAX;

std::uint64_t piece_of(std::uint64_t left) { return std::min<std::uint64_t>(left, body_piece_bytes_max); }

// What of a piece that begins at `at` of the decoded text lies in [wanted].
std::string_view overlap(std::string_view piece, std::uint64_t at, byte_range wanted) {
    const auto end = wanted.length > no_end - wanted.offset ? no_end : wanted.offset + wanted.length;
    const auto from = std::max(at, wanted.offset);
    const auto to = std::min<std::uint64_t>(at + piece.size(), end);
    return from < to ? piece.substr(from - at, to - from) : std::string_view();
}

std::string literal_head(std::uint64_t size, bool binary) {
    return (binary ? "~{" : "{") + std::to_string(size) + "}\r\n";
}

void append_number(std::string& out, std::uint64_t n) {
    char digits[20];
    out.append(digits, std::to_chars(std::begin(digits), std::end(digits), n).ptr);
}

// 05-mail-protocols 5.2.6, rule 7: Apple Mail fails on older dates.
std::string date_text(mail::date_time at) {
    at.unix_seconds = std::max(at.unix_seconds, mail::oldest_internal_date);
    return '"' + mail::internal_date(at) + '"';
}

std::string object_id_text(const std::string& id) { return id.empty() ? "NIL" : '(' + id + ')'; }

// What write_from_row() knows.
bool stands_in_row(const fetch_item& item) {
    switch (item.kind) {
    case fetch_kind::flags:
    case fetch_kind::uid:
    case fetch_kind::internal_date:
    case fetch_kind::save_date:
    case fetch_kind::size:
    case fetch_kind::modseq:
    case fetch_kind::email_id:
    case fetch_kind::thread_id: return true;
    default: return item.needs_only_structure() || item.needs_only_listed();
    }
}

}  // namespace

fetch_writer::fetch_writer(connection& c, const fetch_request& request, bool uid)
    : c_(c), request_(request), uid_(uid),
      from_rows_(std::all_of(request.items.begin(), request.items.end(), stands_in_row)) {
    for (const auto& item : request.items) names_.push_back(item.name());
}

void fetch_writer::begin_item(std::string_view name) {
    if (open_) text_ += ' ';
    else text_ += c_.fetch_head(row_uid_, number_);
    text_ += name;
    text_ += ' ';
    open_ = true;
}

void fetch_writer::write_flags(const message_row& row) {
    begin_item("FLAGS");
    text_ += flag_list_text(row.flags, !c_.rev2 && c_.selected->recent(row.uid));
}

bool fetch_writer::begin(const message_row& row, bool flags_changed) {
    number_ = c_.selected->numbers.number_of(row.uid);
    if (number_ == 0) return false;
    row_uid_ = row.uid;
    open_ = sent_ = vanished_ = false;
    text_.clear();
    const bool with_flags = request_.has(fetch_kind::flags);
    if (flags_changed || with_flags) c_.announce_keywords(row.flags);
    // RFC 7162 section 3.2.4: also where flags are told; RFC 9586 section 3.3: UIDFETCH has it in front.
    if ((uid_ || (flags_changed && c_.condstore)) && !c_.uid_only && !request_.has(fetch_kind::uid)) {
        begin_item("UID");
        append_number(text_, row.uid);
    }
    if (flags_changed && !with_flags) write_flags(row);
    // RFC 7162 section 3.1.3: a changed flag is told with its mod-sequence once the client knows of them.
    if (flags_changed && c_.condstore && !request_.has(fetch_kind::modseq)) {
        begin_item("MODSEQ");
        text_ += '(' + std::to_string(row.modseq) + ')';
    }
    return true;
}

void fetch_writer::end(const message_row& row, bool flags_changed) {
    if (!open_ || (vanished_ && !sent_)) return;   // nothing of it was told: as if it had not been asked for
    text_ += ")\r\n";
    c_.send(text_);
    if (text_.size() < wire::output_high_water_bytes) text_.clear();
    else text_ = std::string();   // the client may read slowly: not twice in memory for so long
    if (flags_changed || request_.has(fetch_kind::flags)) c_.selected->told(row);
    if (request_.has(fetch_kind::modseq) || (flags_changed && c_.condstore)) c_.selected->give_modseq(row.modseq);
}

bool fetch_writer::write_at_once(const message_row& row, bool flags_changed) {
    if (!from_rows_ || row.header.size() > mail::listed_header_bytes_max) return false;
    if (!begin(row, flags_changed)) return true;
    for (std::size_t i = 0; i < request_.items.size() && !failed_; ++i)
        write_from_row(row, request_.items[i], names_[i]);
    end(row, flags_changed);
    return true;
}

wire::task<> fetch_writer::write(const message_row& row, bool flags_changed) {
    if (!begin(row, flags_changed)) co_return;
    for (std::size_t i = 0; i < request_.items.size(); ++i) {
        const auto& item = request_.items[i];
        if (!write_from_row(row, item, names_[i])) co_await write_item(row, item, names_[i]);
        if (c_.over) co_return;
        if (vanished_ || failed_) break;
        // a filter looks at all of the header, also when nothing comes out
        const auto worked = item.section.filters_header() ? row.header.size() + text_.size() : text_.size();
        if (c_.is_tired(worked)) co_await c_.let_others_run();
        co_await hand_over();
        if (c_.over) co_return;
    }
    end(row, flags_changed);
    co_await c_.drained();
}

wire::task<> fetch_writer::hand_over() {
    if (text_.size() < wire::output_high_water_bytes) co_return;
    c_.send(text_);
    text_ = std::string();
    sent_ = true;
    co_await c_.drained();
}

bool fetch_writer::write_from_row(const message_row& row, const fetch_item& item, std::string_view name) {
    switch (item.kind) {
    case fetch_kind::flags: write_flags(row); break;
    case fetch_kind::uid:
        begin_item(name);
        append_number(text_, row.uid);
        break;
    case fetch_kind::internal_date:
        begin_item(name);
        text_ += date_text(row.internal_date);
        break;
    case fetch_kind::save_date:
        begin_item(name);
        text_ += date_text(row.save_date);
        break;
    case fetch_kind::size:
        begin_item(name);
        append_number(text_, row.size_bytes);
        break;
    case fetch_kind::envelope:
    case fetch_kind::body:
    case fetch_kind::body_structure: write_structure(row, item); break;
    case fetch_kind::modseq:
        begin_item(name);
        text_ += '(' + std::to_string(row.modseq) + ')';
        break;
    case fetch_kind::email_id:
        begin_item(name);
        text_ += object_id_text(row.email_id);
        break;
    case fetch_kind::thread_id:
        begin_item(name);
        text_ += object_id_text(row.thread_id);
        break;
    case fetch_kind::section:
        if (!item.needs_only_listed()) return false;
        write_listed(row, item, name);
        break;
    default: return false;
    }
    return true;
}

void fetch_writer::write_structure(const message_row& row, const fetch_item& item) {
    if (item.kind == fetch_kind::body_structure && !row.structure.empty()) {
        begin_item("BODYSTRUCTURE");
        text_ += as_text(row.structure);
        return;
    }
    const auto write = [&](const auto& index) {
        if (index.parts.empty() || index.envelopes.empty()) return false;
        begin_item(item.kind == fetch_kind::envelope ? "ENVELOPE"
                   : item.kind == fetch_kind::body   ? "BODY"
                                                     : "BODYSTRUCTURE");
        if (item.kind == fetch_kind::envelope) mail::append_envelope(text_, index.envelopes.front(), c_.utf8());
        else mail::append_body_structure(text_, index, item.kind == fetch_kind::body_structure, c_.utf8());
        return true;
    };
    bool written = false;
    if (row.index) {
        written = write(*row.index);
    } else if (item.kind == fetch_kind::envelope) {
        if (const auto outline = mail::message_outline::decode(as_text(row.encoded_index))) written = write(*outline);
    } else if (const auto outline = mail::decode_structure(as_text(row.encoded_index))) {
        written = write(*outline);
    }
    if (!written) give_up(no("The structure of a message is not known", "SERVERBUG"));
}

// Fields of the mail's own header: the row has all of it, or at least the listed fields (RFC 9051 section 6.4.5.1).
void fetch_writer::write_listed(const message_row& row, const fetch_item& item, std::string_view name) {
    const auto lines = mail::filter_header_fields(row.header, item.section.fields, false);
    const auto part = clip({0, lines.size()}, item.partial);
    text_item(name, std::string_view(lines).substr(part.offset, part.length), literal_form::text);
}

wire::task<> fetch_writer::write_item(const message_row& row, const fetch_item& item, std::string_view name) {
    if (item.needs_index() && (!row.index || row.index->parts.empty() || row.index->envelopes.empty())) {
        give_up(no("The structure of a message is not known", "SERVERBUG"));
        co_return;
    }
    switch (item.kind) {
    case fetch_kind::preview: co_await write_preview(row); break;
    case fetch_kind::binary: co_await write_binary(row, item); break;
    case fetch_kind::binary_size: co_await write_binary_size(row, item); break;
    default: co_await write_section(row, item, name); break;
    }
}

void fetch_writer::text_item(std::string_view name, std::string_view data, literal_form form) {
    begin_item(name);
    if (data.empty()) {
        text_ += "\"\"";
        return;
    }
    text_ += literal_head(data.size(), form == literal_form::binary);
    text_ += data;
}

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
    begin_item(name);
    text_ += literal_head(data.size(), false);
    c_.send(text_);
    text_.clear();
    sent_ = true;
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
        const auto piece = co_await read_piece(row, next, !first);
        if (!piece) co_return;
        if (first) {
            begin_item(name);
            text_ += literal_head(range.length, form == literal_form::binary);
            c_.send(text_);
            text_.clear();
            sent_ = true;
        }
        c_.send(*piece);
        at += next.length;
        co_await c_.drained();
        if (c_.over) co_return;
    }
}

// One piece, whole. nullopt: it could not be had; what follows from that is arranged.
wire::task<std::optional<bytes>> fetch_writer::read_piece(const message_row& row, byte_range range, bool in_literal) {
    read_body question;
    question.uid = row.uid;
    question.offset = range.offset;
    question.length = range.length;
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
    if (why) give_up(c_.refused(*why));
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

wire::task<> fetch_writer::write_binary(const message_row& row, const fetch_item& item) {
    const auto name = item.name();
    const auto place = locate(item.section, *row.index);
    if (!place) {
        begin_item(name);
        text_ += "NIL";
        co_return;
    }
    // Only leaves have an encoding to undo; the mail itself, multiparts and messages are given as they are.
    const auto* part = item.section.part.empty() ? nullptr : find_part(*row.index, item.section.part);
    const bool leaf = part != nullptr && part->children.empty();
    const auto encoding = leaf ? known_transfer_encoding(part->encoding) : transfer_encoding::identity;
    if (!encoding) {   // RFC 3516 section 4.3: the command fails, what else was asked for is given
        trouble_ = no("The encoding of a part is not known", "UNKNOWN-CTE");
        co_return;
    }
    byte_range encoded = *place, wanted{0, no_end};
    if (*encoding == transfer_encoding::identity) {
        encoded = clip(*place, item.partial);
        if (encoded.length > body_piece_bytes_max) {
            co_await stream(row, name, encoded, literal_form::binary);
            co_return;
        }
    } else if (item.partial) {
        wanted = {item.partial->offset, item.partial->count};
    }
    std::string kept;
    const auto decoded = co_await decode(row, encoded, *encoding, wanted, kept);
    if (!decoded) co_return;
    const auto size = *decoded <= wanted.offset ? 0 : std::min(wanted.length, *decoded - wanted.offset);
    if (size == kept.size()) {
        const bool nul = kept.find('\0') != std::string::npos;
        text_item(name, kept, nul ? literal_form::binary : literal_form::text);
        co_return;
    }
    begin_item(name);
    text_ += literal_head(size, true);
    const byte_range exactly{wanted.offset, size};
    co_await stream_decoded(row, encoded, *encoding, exactly);
}

wire::task<> fetch_writer::write_binary_size(const message_row& row, const fetch_item& item) {
    const auto name = item.name();
    const auto place = locate(item.section, *row.index);
    const auto* part = item.section.part.empty() ? nullptr : find_part(*row.index, item.section.part);
    std::uint64_t size = place ? place->length : 0;
    if (place && part != nullptr && part->children.empty()) {
        const auto encoding = known_transfer_encoding(part->encoding);
        if (!encoding) {
            trouble_ = no("The encoding of a part is not known", "UNKNOWN-CTE");
            co_return;
        }
        if (*encoding != transfer_encoding::identity) {
            std::string none;
            const byte_range nothing_of_it{no_end, 0};
            const auto decoded = co_await decode(row, *place, *encoding, nothing_of_it, none);
            if (!decoded) co_return;
            size = *decoded;
        }
    }
    begin_item(name);
    text_ += std::to_string(size);
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

wire::task<std::optional<std::uint64_t>> fetch_writer::decode(const message_row& row, byte_range encoded,
                                                              transfer_encoding encoding, byte_range wanted,
                                                              std::string& kept) {
    transfer_decoder decoder(encoding);
    std::string out;
    std::uint64_t decoded = 0;
    bool keeps = true;
    const auto enough = wanted.length > no_end - wanted.offset ? no_end : wanted.offset + wanted.length;
    for (std::uint64_t done = 0; done <= encoded.length && decoded < enough;) {
        out.clear();
        if (done < encoded.length) {
            const byte_range next{encoded.offset + done, piece_of(encoded.length - done)};
            const auto piece = co_await read_piece(row, next, false);
            if (!piece) co_return std::nullopt;
            decoder.update(as_text(*piece), out);
            done += next.length;
        } else {
            decoder.finish(out);
            ++done;
        }
        const auto part = overlap(out, decoded, wanted);
        keeps = keeps && kept.size() + part.size() <= body_piece_bytes_max;
        if (keeps) kept += part;
        else kept.clear();
        decoded += out.size();
    }
    co_return decoded;
}

// The second pass of a part too large to hold: the literal is announced in text_, its size known from the first.
wire::task<> fetch_writer::stream_decoded(const message_row& row, byte_range encoded, transfer_encoding encoding,
                                          byte_range wanted) {
    transfer_decoder decoder(encoding);
    std::string out;
    std::uint64_t decoded = 0, given = 0;
    c_.send(text_);
    text_.clear();
    sent_ = true;
    for (std::uint64_t done = 0; done < encoded.length && given < wanted.length;) {
        const byte_range next{encoded.offset + done, piece_of(encoded.length - done)};
        const auto piece = co_await read_piece(row, next, true);
        if (!piece) co_return;
        done += next.length;
        out.clear();
        decoder.update(as_text(*piece), out);
        if (done == encoded.length) decoder.finish(out);
        const auto part = overlap(out, decoded, wanted);
        decoded += out.size();
        given += part.size();
        c_.send(part);
        co_await c_.drained();
        if (c_.over) co_return;
    }
    if (given != wanted.length) c_.over = true;   // other bytes than in the first pass: never a short literal
}

void fetch_writer::give_up(reply why) {
    trouble_ = std::move(why);
    failed_ = true;
}

}  // namespace pp::imap

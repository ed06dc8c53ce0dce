// RFC 9051 section 7.5.2: FETCH responses, and the items that stand in a row; RFC 7162 section 3.1.3: MODSEQ; RFC 8474
// section 5: EMAILID, THREADID; RFC 8514 section 4.3: SAVEDATE. What must be read from the mail: fetch_body.cpp.
#include "proto/imap/fetch/fetch_writer.hpp"

#include "proto/imap/grammar/response.hpp"
#include "proto/mail/structure_outline.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace pp::imap {

namespace {

std::string literal_head(std::uint64_t size_bytes, bool binary) {
    return (binary ? "~{" : "{") + std::to_string(size_bytes) + "}\r\n";
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
    open_ = sent_ = vanished_ = damaged_ = false;
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
        if (vanished_ || damaged_ || failed_) break;
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

void fetch_writer::announce(std::string_view name, std::uint64_t size_bytes, literal_form form) {
    begin_item(name);
    text_ += literal_head(size_bytes, form == literal_form::binary);
    c_.send(text_);
    text_.clear();
    sent_ = true;
}

void fetch_writer::give_up(reply why) {
    trouble_ = std::move(why);
    failed_ = true;
}

}  // namespace pp::imap

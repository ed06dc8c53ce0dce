// RFC 9051 section 6.4.4, BODY and TEXT: transfer encodings, charsets and encoded words are undone before comparing.
#include "proto/imap/search/searchable_text.hpp"

#include "proto/imap/events.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

bool holds_text(const mail::message_part& part) {
    if (!part.children.empty()) return false;
    // message/delivery-status and its like are text too; a mail that was too deep to be parsed is read as it is.
    return mail::equal_ascii_case(part.type, "text") || mail::equal_ascii_case(part.type, "message");
}

std::string charset_of(const mail::message_part& part) {
    for (const auto& [name, value] : part.parameters)
        if (mail::equal_ascii_case(name, "charset") && !value.empty() && !mail::equal_ascii_case(value, "us-ascii"))
            return value;
    return "utf-8";   // contains US-ASCII, and is what 8-bit text without a charset mostly is
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// Folding maps each run of 8-bit bytes by itself, so behind an ASCII character it gives the same as at the beginning.
bool ends_with_whole_runs(std::string_view text, std::string_view end) {
    return text.ends_with(end) && (text.size() == end.size() || is_ascii(text[text.size() - end.size() - 1]));
}

}  // namespace

text_stream stream_of_field(std::string_view name) {
    if (mail::equal_ascii_case(name, "subject")) return text_stream::subject;
    for (const std::string_view known : {"from", "sender", "reply-to", "to", "cc", "bcc"})
        if (mail::equal_ascii_case(name, known)) return text_stream::address;
    return text_stream::other_header;
}

std::vector<std::string> header_texts(std::string_view header_block, std::string_view field_name) {
    auto values = mail::header_values(header_block, field_name);
    for (auto& value : values) value = mail::decode_header_text(value);
    return values;
}

searchable_text::searchable_text(std::shared_ptr<const mail::message_index> index, bool headers)
    : index_(std::move(index)) {
    for (const auto& part : index_->parts) {
        if (headers && part.header_bytes > 0) segments_.push_back({{part.header_offset, part.header_bytes}, nullptr});
        if (part.body_bytes > 0 && holds_text(part)) segments_.push_back({{part.body_offset, part.body_bytes}, &part});
    }
    std::stable_sort(segments_.begin(), segments_.end(),
                     [](const segment& a, const segment& b) { return a.range.offset < b.range.offset; });
    if (index_->parts.front().header_bytes > mail::header_block_bytes_max) plain_ = false;
    if (at_ < segments_.size()) begin();
}

std::optional<byte_range> searchable_text::wants() const {
    if (at_ == segments_.size()) return std::nullopt;
    const auto& range = segments_[at_].range;
    return byte_range{range.offset + used_, std::min<std::uint64_t>(range.length - used_, body_piece_bytes_max)};
}

void searchable_text::give(std::string_view piece, text_sink& out) {
    if (at_ == segments_.size()) return;
    if (decoder_) body_text(decoder_->update(piece), out);
    else header_bytes(piece, out);
    used_ += piece.size();
    if (used_ < segments_[at_].range.length) return;
    end(out);
    used_ = 0;
    if (++at_ < segments_.size()) begin();
}

void searchable_text::begin() {
    const auto* part = segments_[at_].part;
    if (part == nullptr) return;
    decoder_.emplace(part->encoding.value_or("7bit"), charset_of(*part));
    if (mail::equal_ascii_case(part->subtype, "html")) html_.emplace();
}

void searchable_text::end(text_sink& out) {
    if (decoder_) {
        body_text(decoder_->finish(), out);
        out.text_ended(text_stream::body);
        if (html_) out.text_ended(text_stream::reduced_html);
    } else {
        end_field(out);
    }
    decoder_.reset();
    html_.reset();
}

void searchable_text::body_text(const std::string& utf8, text_sink& out) {
    out.text(text_stream::body, utf8);
    if (!html_) return;
    std::string reduced;
    html_->update(utf8, reduced);
    out.text(text_stream::reduced_html, reduced);
}

// A field ends before a line that does not begin with a blank (RFC 5322 section 2.2.3).
void searchable_text::header_bytes(std::string_view piece, text_sink& out) {
    while (!piece.empty()) {
        const bool begins_line = !field_.empty() && field_.back() == '\n';
        if (begins_line && piece.front() != ' ' && piece.front() != '\t') end_field(out);
        const auto line_end = piece.find('\n');
        const auto room = mail::header_field_bytes_max - std::min(field_.size(), mail::header_field_bytes_max);
        const auto count = std::min({line_end == piece.npos ? piece.size() : line_end + 1, room});
        if (count == 0) {   // RFC 5322 knows no such field: compared in parts
            plain_ = false;
            end_field(out);
            continue;
        }
        field_ += piece.substr(0, count);
        piece.remove_prefix(count);
    }
}

void searchable_text::end_field(text_sink& out) {
    if (field_.empty()) return;
    const auto text = mail::decode_header_text(mail::unfold(field_));
    const std::string_view field = field_;
    const auto colon = field.find(':');
    auto name = field.substr(0, colon == field.npos ? 0 : colon);
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
    const auto where = stream_of_field(name);
    out.text(where, text);
    out.text_ended(where);
    if (segments_[at_].range.offset == 0 && !name.empty()) {
        const auto value = mail::decode_header_text(mail::unfold(field.substr(colon + 1)));
        if (!ends_with_whole_runs(text, value)) out.header_value(where, value);
    }
    field_.clear();
}

}  // namespace pp::imap

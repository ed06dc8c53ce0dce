// RFC 9051 section 6.4.4, BODY and TEXT: transfer encodings, charsets and encoded words are undone before comparing.
#include "proto/imap/search_scanner.hpp"

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

}  // namespace

search_scanner::search_scanner(const search_program& program, const std::vector<std::uint32_t>& keys,
                               std::shared_ptr<const mail::message_index> index)
    : key_count_(program.keys.size()), index_(std::move(index)), keys_(keys) {
    bool headers = false;
    for (const auto number : keys) {
        const auto& key = program.keys[number];
        in_text_.add(number, key.needle);
        in_html_.add(number, key.needle);
        if (key.op != search_op::text) continue;
        in_headers_.add(number, key.needle);
        headers = true;
    }
    for (const auto& part : index_->parts) {
        if (headers && part.header_bytes > 0) segments_.push_back({{part.header_offset, part.header_bytes}, nullptr});
        if (part.body_bytes > 0 && holds_text(part)) segments_.push_back({{part.body_offset, part.body_bytes}, &part});
    }
    std::stable_sort(segments_.begin(), segments_.end(),
                     [](const segment& a, const segment& b) { return a.range.offset < b.range.offset; });
    if (at_ < segments_.size()) begin();
}

bool search_scanner::done() const {
    if (at_ == segments_.size()) return true;
    // Found in either reading of the text is found.
    return std::all_of(keys_.begin(), keys_.end(), [&](std::uint32_t key) {
        for (const auto* finder : {&in_headers_, &in_text_, &in_html_})
            if (std::find(finder->found().begin(), finder->found().end(), key) != finder->found().end()) return true;
        return false;
    });
}

std::optional<byte_range> search_scanner::wants() const {
    if (done()) return std::nullopt;
    const auto& range = segments_[at_].range;
    return byte_range{range.offset + used_, std::min<std::uint64_t>(range.length - used_, body_piece_bytes_max)};
}

void search_scanner::give(std::string_view piece) {
    if (at_ == segments_.size()) return;
    if (decoder_) text_bytes(decoder_->update(piece));
    else header_bytes(piece);
    used_ += piece.size();
    if (used_ < segments_[at_].range.length) return;
    end();
    used_ = 0;
    if (++at_ < segments_.size()) begin();
}

void search_scanner::begin() {
    const auto* part = segments_[at_].part;
    if (part == nullptr) return;
    decoder_.emplace(part->encoding.value_or("7bit"), charset_of(*part));
    if (mail::equal_ascii_case(part->subtype, "html")) html_.emplace();
}

void search_scanner::end() {
    if (decoder_) text_bytes(decoder_->finish());
    else end_field();
    decoder_.reset();
    html_.reset();
    in_text_.finish();
    in_html_.finish();
}

void search_scanner::text_bytes(const std::string& utf8) {
    in_text_.update(utf8);
    if (!html_) return;
    std::string reduced;
    html_->update(utf8, reduced);
    in_html_.update(reduced);
}

// A field ends before a line that does not begin with a blank (RFC 5322 section 2.2.3).
void search_scanner::header_bytes(std::string_view piece) {
    while (!piece.empty()) {
        const bool begins_line = !field_.empty() && field_.back() == '\n';
        if (begins_line && piece.front() != ' ' && piece.front() != '\t') end_field();
        const auto line_end = piece.find('\n');
        const auto room = mail::header_field_bytes_max - std::min(field_.size(), mail::header_field_bytes_max);
        const auto count = std::min({line_end == piece.npos ? piece.size() : line_end + 1, room});
        if (count == 0) {   // RFC 5322 knows no such field: compared in parts
            end_field();
            continue;
        }
        field_ += piece.substr(0, count);
        piece.remove_prefix(count);
    }
}

void search_scanner::end_field() {
    if (field_.empty()) return;
    in_headers_.update(mail::decode_header_text(mail::unfold(field_)));
    in_headers_.finish();
    field_.clear();
}

std::vector<truth> search_scanner::result() const {
    std::vector<truth> out(key_count_, truth::unknown);
    if (at_ == segments_.size())
        for (const auto key : keys_) out[key] = truth::no;
    for (const auto* finder : {&in_headers_, &in_text_, &in_html_})
        for (const auto key : finder->found()) out[key] = truth::yes;
    return out;
}

}  // namespace pp::imap

// RFC 9051 section 6.4.4: substrings, without case; RFC 5051: what is without case.
#include "proto/imap/search/search_text.hpp"

#include "proto/mail/charset.hpp"
#include "proto/mail/html_reference.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace pp::imap {

namespace {

// A piece is cut before an ASCII character when there is one so near its end, so that combining characters stay with
// what they combine with; else before any character.
constexpr std::size_t cut_search_bytes = 256;
constexpr std::size_t folded_at_once_bytes = 64 * 1024;
constexpr std::size_t html_tag_bytes_kept = 32;  // enough to know the element; the rest of a tag is not kept
constexpr std::size_t reference_bytes_max = 12;  // "&thetasym;" is longer than all that matter here

bool is_ascii(std::string_view text) {
    unsigned char all = 0;   // without a branch for each byte: compilers do sixteen at once
    for (const char c : text) all |= static_cast<unsigned char>(c);
    return all < 0x80;
}

std::size_t safe_cut(std::string_view text) {
    const std::size_t lowest = text.size() > cut_search_bytes ? text.size() - cut_search_bytes : 0;
    for (std::size_t i = text.size(); i > lowest; --i)
        if (static_cast<unsigned char>(text[i - 1]) < 0x80) return i - 1;
    if (lowest == 0) return 0;
    for (std::size_t i = text.size(); i + 4 > text.size(); --i)
        if ((static_cast<unsigned char>(text[i - 1]) & 0xc0) != 0x80) return i - 1;
    return text.size();   // no UTF-8 at all
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
bool is_alnum(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9'); }

// Elements that stand inside a word or sentence; every other tag parts words.
bool is_inline(std::string_view element) {
    for (const std::string_view name :
         {"a",   "abbr", "b", "bdo", "big",   "cite", "code",   "del", "em",  "font", "i", "ins",
          "kbd", "mark", "q", "s",   "small", "span", "strong", "sub", "sup", "tt",   "u", "wbr"})
        if (element == name) return true;
    return false;
}

}  // namespace

void append_folded(std::string_view utf8, std::string& out) {
    // RFC 5051 maps each ASCII character alone, so one look-up table made by the same function is the same thing.
    static const std::array<char, 128> table = [] {
        std::array<char, 128> folded{};
        for (std::size_t c = 0; c < folded.size(); ++c) {
            const char one = static_cast<char>(c);
            const auto mapped = mail::fold_case(std::string_view(&one, 1));
            folded[c] = mapped.size() == 1 ? mapped.front() : one;
        }
        return folded;
    }();
    if (!is_ascii(utf8)) {
        out += mail::fold_case(utf8);
        return;
    }
    const auto begin = out.size();
    out += utf8;
    for (auto at = begin; at < out.size(); ++at) out[at] = table[static_cast<unsigned char>(out[at])];
}

std::string fold_text(std::string_view utf8) {
    std::string out;
    append_folded(utf8, out);
    return out;
}

void append_folded_header(std::string_view value, std::string& out) {
    if (is_ascii(value) && value.find("=?") == value.npos) append_folded(value, out);
    else append_folded(mail::decode_header_text(value), out);
}

std::size_t find_folded(std::string_view text, std::string_view needle) {
    if (needle.empty()) return 0;
    const auto* found = static_cast<const char*>(::memmem(text.data(), text.size(), needle.data(), needle.size()));
    return found == nullptr ? text.npos : static_cast<std::size_t>(found - text.data());
}

bool contains_folded(std::string_view text, std::string_view needle) { return find_folded(text, needle) != text.npos; }

void text_finder::add(std::uint32_t key, std::string needle) {
    if (needle.empty()) found_.push_back(key);   // RFC 9051 section 6.4.4: the empty string is a substring
    else open_.push_back({key, std::move(needle)});
}

void text_folder::update(std::string_view utf8, const taker& take) {
    while (!utf8.empty()) {
        const auto piece = utf8.substr(0, folded_at_once_bytes);
        utf8.remove_prefix(piece.size());
        carry_ += piece;
        const auto cut = safe_cut(carry_);
        if (cut == 0) continue;
        const auto folded = fold_text(std::string_view(carry_).substr(0, cut));
        carry_.erase(0, cut);
        if (!take(folded)) return;
    }
}

void text_folder::finish(const taker& take) {
    if (!carry_.empty()) take(fold_text(carry_));
    carry_.clear();
}

void text_finder::update(std::string_view utf8) {
    if (!done()) folder_.update(utf8, [this](std::string_view folded) { return scan(folded); });
}

bool text_finder::scan(std::string_view folded) {
    window_ += folded;
    std::size_t longest = 1;
    std::erase_if(open_, [&](const wanted& w) {
        if (contains_folded(window_, w.needle)) {
            found_.push_back(w.key);
            return true;
        }
        longest = std::max(longest, w.needle.size());
        return false;
    });
    if (window_.size() >= longest) window_.erase(0, window_.size() - (longest - 1));
    return !done();
}

void text_finder::finish() {
    folder_.finish([this](std::string_view folded) { return done() || scan(folded); });
    window_.clear();
}

void html_reducer::update(std::string_view html, std::string& out) {
    for (const char c : html) {
        switch (place_) {
        case place::text: text_byte(c, out); break;
        case place::tag:
            if (c == '>') {
                end_tag();
                place_ = place::text;
            } else if ((c == '"' || c == '\'') && skip_until_.empty()) {
                quote_ = c;
                place_ = place::quoted;
            } else if (c == '<') {
                held_.clear();   // the last "<" was no tag
            } else if (held_.empty() && !is_alnum(c) && c != '/' && c != '!' && c != '?' && skip_until_.empty()) {
                place_ = place::text;   // "a < b"
                emit("<", out);
                text_byte(c, out);
            } else {
                if (held_.size() < html_tag_bytes_kept) held_ += lower(c);
                if (held_ == "!--") {
                    held_.clear();
                    place_ = place::comment;
                }
            }
            break;
        case place::quoted:
            if (c == quote_) place_ = place::tag;
            break;
        case place::comment:   // held_: the last two characters
            if (c == '>' && held_ == "--") {
                held_.clear();
                place_ = place::text;
            } else {
                if (held_.size() == 2) held_.erase(0, 1);
                held_ += c;
            }
            break;
        case place::reference:
            if (c == ';') {
                end_reference(true, out);
            } else if ((is_alnum(c) || c == '#') && held_.size() < reference_bytes_max) {
                held_ += c;
            } else {
                end_reference(false, out);
                text_byte(c, out);
            }
            break;
        }
    }
}

void html_reducer::text_byte(char c, std::string& out) {
    if (c == '<') {
        held_.clear();
        place_ = place::tag;
    } else if (!skip_until_.empty()) {
        return;
    } else if (c == '&') {
        held_.clear();
        place_ = place::reference;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        blank_ = true;
    } else {
        emit(std::string_view(&c, 1), out);
    }
}

void html_reducer::end_tag() {
    std::size_t length = held_.starts_with('/') ? 1 : 0;
    while (length < held_.size() && is_alnum(held_[length])) ++length;
    const auto element = std::string_view(held_).substr(0, length);
    if (!skip_until_.empty()) {
        if (element == skip_until_) skip_until_.clear();
        return;
    }
    if (element == "script" || element == "style") skip_until_ = '/' + std::string(element);
    const auto name = element.starts_with('/') ? element.substr(1) : element;
    if (!is_inline(name)) blank_ = true;
}

void html_reducer::end_reference(bool closed, std::string& out) {
    place_ = place::text;
    const std::string_view name = held_;
    // People forget the ";": a number means its character without it, and so does "&amp".
    const auto character = closed || name.starts_with('#') || name == "amp" ? mail::html_character(name) : std::nullopt;
    if (!character) {
        emit("&", out);
        emit(name, out);
        if (closed) emit(";", out);
    } else if (*character == " ") {
        blank_ = true;
    } else {
        emit(*character, out);
    }
}

void html_reducer::emit(std::string_view text, std::string& out) {
    if (text.empty()) return;
    if (blank_) out += ' ';
    blank_ = false;
    out += text;
}

}  // namespace pp::imap

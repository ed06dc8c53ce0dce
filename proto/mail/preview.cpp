#include "proto/mail/preview.hpp"

#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/html_reference.hpp"

namespace pp::mail {

namespace {

bool is_text(const message_part& part, std::string_view subtype) {
    return part.children.empty() && ascii::equal_no_case(part.type, "text") &&
           ascii::equal_no_case(part.subtype, subtype) &&
           !(part.disposition && ascii::equal_no_case(part.disposition->first, "attachment"));
}

// Collects characters until there are enough; runs of blanks and controls become one blank, at the ends none.
class words {
public:
    bool full() const { return characters_ >= preview_characters_max; }
    // One character: the bytes of one UTF-8 sequence.
    void add(std::string_view character) {
        if (full() || character.empty()) return;
        if (is_blank(character)) {
            blank_ = !out_.empty();
            return;
        }
        if (std::exchange(blank_, false)) {
            out_ += ' ';
            if (++characters_ == preview_characters_max) return;
        }
        out_ += character;
        ++characters_;
    }
    void blank() { blank_ = !out_.empty(); }
    std::string take() {
        if (out_.ends_with(' ')) out_.pop_back();
        return std::move(out_);
    }

private:
    // Controls, no-break and zero-width spaces, the byte order mark and what fills preheaders of newsletters.
    static bool is_blank(std::string_view c) {
        if (c.size() == 1) return static_cast<unsigned char>(c[0]) <= 0x20 || c[0] == 0x7f;
        if (c.size() == 2) return c[0] == '\xc2' && (static_cast<unsigned char>(c[1]) <= 0xa0 || c[1] == '\xad');
        return c == "\xe2\x80\x8b" || c == "\xe2\x80\x8c" || c == "\xe2\x80\x8d" || c == "\xef\xbb\xbf" ||
               c == "\xe2\x80\xa8" || c == "\xe2\x80\xa9" || c == "\xcd\x8f" || c == "\xe3\x80\x80";
    }
    std::string out_;
    std::size_t characters_ = 0;
    bool blank_ = false;
};

std::size_t sequence_bytes(char lead) {
    const auto byte = static_cast<unsigned char>(lead);
    return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// A character reference at the front of `text` ("&amp;", "&#8364;"), and how long it is.
std::optional<std::string> reference(std::string_view text, std::size_t& length) {
    constexpr std::size_t longest = 10;
    const auto end = text.substr(0, longest).find(';');
    if (end == text.npos) return std::nullopt;
    length = end + 1;
    return html_character(text.substr(1, end - 1));
}

// Elements whose content nobody reads.
bool is_unseen_element(std::string_view name) {
    for (const std::string_view unseen : {"style", "script", "head", "title", "template"})
        if (ascii::equal_no_case(name, unseen)) return true;
    return false;
}

std::string_view element_name(std::string_view after_bracket) {
    std::size_t n = 0;
    while (n < after_bracket.size() && n < 16 &&
           std::string_view(" \t\r\n/>").find(after_bracket[n]) == std::string_view::npos)
        ++n;
    return after_bracket.substr(0, n);
}

// Where the end tag of this element ends; the end of the text when there is none.
std::size_t end_of_element(std::string_view html, std::size_t from, std::string_view name) {
    for (auto at = html.find("</", from); at != html.npos; at = html.find("</", at + 2))
        if (ascii::equal_no_case(element_name(html.substr(at + 2)), name)) {
            const auto close = html.find('>', at);
            return close == html.npos ? html.size() : close + 1;
        }
    return html.size();
}

void plain(std::string_view text, words& out) {
    for (std::size_t i = 0; i < text.size() && !out.full();) {
        const auto n = std::min(sequence_bytes(text[i]), text.size() - i);
        out.add(text.substr(i, n));
        i += n;
    }
}

void marked_up(std::string_view html, words& out) {
    for (std::size_t i = 0; i < html.size() && !out.full();) {
        std::size_t length = std::min(sequence_bytes(html[i]), html.size() - i);
        if (html[i] == '<') {
            const auto name = element_name(html.substr(i + 1));
            if (html.substr(i).starts_with("<!--")) {
                const auto end = html.find("-->", i + 4);
                i = end == html.npos ? html.size() : end + 3;
            } else if (is_unseen_element(name)) {
                i = end_of_element(html, i, name);
            } else {
                const auto end = html.find('>', i);
                i = end == html.npos ? html.size() : end + 1;
            }
            out.blank();
        } else if (html[i] == '&') {
            const auto character = reference(html.substr(i), length);
            out.add(character ? std::string_view(*character) : html.substr(i, 1));
            i += character ? length : 1;
        } else {
            out.add(html.substr(i, length));
            i += length;
        }
    }
}

}  // namespace

const message_part* preview_part(const message_index& index) {
    for (const std::string_view subtype : {"plain", "html"})
        for (const auto& part : index.parts) {
            if (!is_text(part, subtype)) continue;
            bool inside_a_mail = false;
            for (auto up = part.parent; up >= 0; up = index.parts[static_cast<std::size_t>(up)].parent)
                inside_a_mail |= index.parts[static_cast<std::size_t>(up)].is_message();
            if (!inside_a_mail) return &part;
        }
    return nullptr;
}

std::string charset_of(const message_part& part) {
    for (const auto& [name, value] : part.parameters)
        if (ascii::equal_no_case(name, "charset") && !value.empty() && !ascii::equal_no_case(value, "us-ascii"))
            return value;
    return "utf-8";
}

bool is_html(const message_part& part) { return ascii::equal_no_case(part.subtype, "html"); }

std::string preview_text(std::string_view utf8, bool html) {
    words out;
    if (html) marked_up(utf8, out);
    else plain(utf8, out);
    auto text = out.take();
    if (is_valid_utf8(text)) return text;
    const auto mended = to_utf8(text, "utf-8");   // of a charset that is not known
    return mended ? *mended : std::string();
}

}  // namespace pp::mail

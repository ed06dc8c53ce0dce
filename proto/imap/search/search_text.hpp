// Finds strings in text without regard to case (RFC 5051, i;unicode-casemap; RFC 9051 section 6.4.4) while the text
// comes in pieces: a match across pieces is found, memory is bounded by the longest string.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

// What is compared: UTF-8 without case. The same for needles and texts.
std::string fold_text(std::string_view utf8);
void append_folded(std::string_view utf8, std::string& out);
// The same of a header field's value as sent: encoded words and old 8-bit text become UTF-8 first.
void append_folded_header(std::string_view value, std::string& out);
// Where it begins for the first time; npos. In linear time: std::string_view::find is not.
std::size_t find_folded(std::string_view text, std::string_view needle);
bool contains_folded(std::string_view folded_text, std::string_view folded_needle);   // linear

// Folds a text that comes in pieces. Whoever compares texts in pieces does it with this, so that all cut alike.
class text_folder {
public:
    using taker = std::function<bool(std::string_view folded)>;   // false: the rest is not wanted
    // The next piece of the text in UTF-8; cut anywhere, also inside a character.
    void update(std::string_view utf8, const taker& take);
    void finish(const taker& take);

private:
    std::string carry_;           // raw: what may not be folded before its continuation has come
};

class text_finder {
public:
    // `needle` is folded; `key` names it in found().
    void add(std::uint32_t key, std::string needle);
    bool done() const { return open_.empty(); }       // nothing left to find
    // The next piece of the text in UTF-8; cut anywhere, also inside a character.
    void update(std::string_view utf8);
    void finish();                                    // the end of this text: no match goes on beyond it
    const std::vector<std::uint32_t>& found() const { return found_; }

private:
    bool scan(std::string_view folded);               // false: nothing left to find

    struct wanted {
        std::uint32_t key;
        std::string needle;
    };
    std::vector<wanted> open_;
    std::vector<std::uint32_t> found_;
    text_folder folder_;
    std::string window_;          // folded
};

// Reduces HTML to its text: tags and comments out, character references resolved, blanks run together. Scripts and
// styles are no text. For searching only; nothing is rendered.
class html_reducer {
public:
    void update(std::string_view html, std::string& out);   // appends to out

private:
    enum class place : std::uint8_t { text, tag, quoted, comment, reference };

    void text_byte(char c, std::string& out);
    void end_tag();
    void end_reference(bool closed, std::string& out);
    void emit(std::string_view text, std::string& out);

    place place_ = place::text;
    char quote_ = 0;
    std::string held_;            // the beginning of a tag, the end of a comment, or a reference; bounded
    std::string skip_until_;      // "/script": inside an element that is no text
    bool blank_ = false;          // a blank is owed before the next character
};

}  // namespace pp::imap

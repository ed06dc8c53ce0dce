// RFC 5256 sections 2.1 (the steps) and 5 (subj-blob, subj-refwd, subj-trailer and the others).
#include "proto/imap/search/base_subject.hpp"

#include "proto/imap/grammar/response.hpp"

namespace pp::imap {

namespace {

bool is_wsp(char c) { return c == ' ' || c == '\t'; }

std::string single_blanks(std::string_view text) {   // step 1
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const bool blank = is_wsp(c) || c == '\r' || c == '\n';
        if (blank && !out.empty() && out.back() == ' ') continue;
        out += blank ? ' ' : c;
    }
    return out;
}

void skip_wsp(std::string_view& text) {
    while (!text.empty() && is_wsp(text.front())) text.remove_prefix(1);
}
bool take(std::string_view& text, std::string_view word) {
    if (!equal_case(text.substr(0, word.size()), word)) return false;
    text.remove_prefix(word.size());
    return true;
}

// subj-blob = "[" *BLOBCHAR "]" *WSP; a BLOBCHAR is no bracket.
bool take_blob(std::string_view& text) {
    if (text.empty() || text.front() != '[') return false;
    const auto end = text.find_first_of(std::string_view("[]\0", 3), 1);
    if (end == text.npos || text[end] != ']') return false;
    text.remove_prefix(end + 1);
    skip_wsp(text);
    return true;
}

// subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
bool take_refwd(std::string_view& text) {
    auto rest = text;
    if (!take(rest, "re") && !take(rest, "fwd") && !take(rest, "fw")) return false;
    skip_wsp(rest);
    take_blob(rest);
    if (!take(rest, ":")) return false;
    text = rest;
    return true;
}

void remove_trailers(std::string_view& text, bool& is_reply) {   // step 2
    constexpr std::string_view forwarded = "(fwd)";
    for (;;) {
        if (!text.empty() && is_wsp(text.back())) {
            text.remove_suffix(1);
        } else if (text.size() >= forwarded.size() &&
                   equal_case(text.substr(text.size() - forwarded.size()), forwarded)) {
            text.remove_suffix(forwarded.size());
            is_reply = true;
        } else {
            return;
        }
    }
}

// Steps 3 to 5. A run of blobs that no refwd follows never becomes a leader by losing its first blob, so the whole run
// goes at once: that keeps "[a][a][a]..." linear.
void remove_leaders(std::string_view& text, bool& is_reply) {
    for (;;) {
        skip_wsp(text);
        auto rest = text, before_last = text;
        for (auto at = rest; take_blob(at); rest = at) before_last = rest;
        if (take_refwd(rest)) {
            text = rest;
            is_reply = true;
            continue;
        }
        text = rest.empty() ? before_last : rest;   // the last blob is the base when nothing else is
        return;
    }
}

}  // namespace

base_subject base_subject_of(std::string_view decoded) {
    const auto plain = single_blanks(decoded);
    base_subject out;
    std::string_view text = plain;
    for (;;) {
        remove_trailers(text, out.is_reply);
        remove_leaders(text, out.is_reply);
        auto inner = text;
        if (inner.empty() || inner.back() != ']' || !take(inner, "[fwd:")) break;   // step 6
        inner.remove_suffix(1);
        text = inner;
        out.is_reply = true;
    }
    out.text = text;
    return out;
}

}  // namespace pp::imap

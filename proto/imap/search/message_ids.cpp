// msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS], RFC 5322 section 3.6.4, and the blanks of section 4.5.4.
#include "proto/imap/search/message_ids.hpp"

namespace pp::imap {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// After the "<". Leaves `at` behind what was read; an ID that ends too early is none. Every byte is looked at once.
bool read_id(std::string_view text, std::size_t& at, std::string& id) {
    id.clear();
    bool left = false, host = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (is_blank(c)) continue;
        if (c == '>') {
            ++at;
            return left && host;
        }
        if (c == '<') return false;   // begins another one
        if (c == '"' && id.find('@') == id.npos) {   // a quoted id-left: what it means, not how it is written
            for (++at; at < text.size() && text[at] != '"'; ++at) {
                if (text[at] == '\\' && at + 1 < text.size()) ++at;
                id += text[at];
                left = true;
            }
            continue;
        }
        if (c == '@' && !host) {
            if (!left) return false;
            host = true;
            id += c;
            continue;
        }
        id += c;
        left = true;
    }
    return false;
}

}  // namespace

std::vector<std::string> message_ids(std::string_view value, std::size_t max) {
    std::vector<std::string> out;
    std::string id;
    for (std::size_t at = 0; out.size() < max;) {
        at = value.find('<', at);
        if (at == value.npos) break;
        ++at;
        if (read_id(value, at, id)) out.push_back(id);
    }
    return out;
}

std::vector<std::string> reference_ids(std::string_view value) {
    auto out = message_ids(value, value.size());
    if (out.size() > thread_references_max)
        out.erase(out.begin() + 1, out.end() - static_cast<std::ptrdiff_t>(thread_references_max - 1));
    return out;
}

}  // namespace pp::imap

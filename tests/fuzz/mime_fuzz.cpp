// The MIME indexer: the same index whole and in pieces, ranges that nest, a stored form that comes back, IMAP text
// that is balanced. First byte: where the mail is cut.
#include "proto/mail/message_index.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace pp::mail;

void demand(bool holds) {
    if (!holds) std::abort();
}

// Parentheses outside strings and literals close what they open, and only at the end of the text.
void demand_balanced(const std::string& text) {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        demand(i == 0 || depth > 0);
        const char c = text[i];
        if (c == '(') {
            ++depth;
        } else if (c == ')') {
            demand(depth > 0);
            --depth;
        } else if (c == '"') {
            for (++i; i < text.size() && text[i] != '"'; ++i) {
                demand(text[i] != '\r' && text[i] != '\n' && text[i] != '\0');
                if (text[i] == '\\') ++i;
            }
            demand(i < text.size());
        } else if (c == '{') {
            std::size_t length = 0;
            for (++i; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])); ++i)
                length = length * 10 + static_cast<std::size_t>(text[i] - '0');
            demand(text.compare(i, 3, "}\r\n") == 0 && text.size() - i - 3 >= length);
            i += 2 + length;
        } else {
            demand(c == ' ' || std::isdigit(static_cast<unsigned char>(c)) || c == 'N' || c == 'I' || c == 'L');
        }
    }
    demand(depth == 0);
}

void demand_nested(const message_index& index, std::string_view mail) {
    demand(index.size_bytes == mail.size() && !index.parts.empty() && !index.envelopes.empty());
    for (std::size_t i = 0; i < index.parts.size(); ++i) {
        const auto& p = index.parts[i];
        demand(p.header_offset + p.header_bytes == p.body_offset);
        demand(p.body_offset + p.body_bytes <= mail.size());
        const auto body = mail.substr(p.body_offset, p.body_bytes);
        demand(p.body_lines == static_cast<std::uint64_t>(std::count(body.begin(), body.end(), '\n')));
        if (i == 0) {
            demand(p.parent == -1 && p.header_offset == 0 && p.body_offset + p.body_bytes == mail.size());
            continue;
        }
        const auto& parent = index.parts[static_cast<std::size_t>(p.parent)];
        demand(p.header_offset >= parent.body_offset);
        demand(p.body_offset + p.body_bytes <= parent.body_offset + parent.body_bytes);
        demand(std::count(parent.children.begin(), parent.children.end(), static_cast<std::int32_t>(i)) == 1);
    }
    for (const auto& p : index.parts)
        for (std::size_t i = 1; i < p.children.size(); ++i) {
            const auto& before = index.parts[static_cast<std::size_t>(p.children[i - 1])];
            const auto& after = index.parts[static_cast<std::size_t>(p.children[i])];
            demand(before.body_offset + before.body_bytes <= after.header_offset);
        }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view mail(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = index_message(mail);
    demand_nested(whole, mail);

    message_indexer cut;
    const auto at = mail.size() * data[0] / 256;
    cut.update(mail.substr(0, at));
    cut.update(mail.substr(at));
    demand(cut.finish() == whole);
    message_indexer bytewise;
    for (const char& c : mail) bytewise.update({&c, 1});
    demand(bytewise.finish() == whole);

    const auto decoded = message_index::decode(whole.encode());
    demand(decoded.has_value() && *decoded == whole);
    for (const bool utf8 : {false, true}) {
        demand_balanced(imap_body_structure(whole, true, utf8));
        demand_balanced(imap_body_structure(whole, false, utf8));
        for (const auto& e : whole.envelopes) demand_balanced(imap_envelope(e, utf8));
    }
    const std::vector<std::string> names{"From", "Subject"};
    const auto header = mail.substr(0, whole.parts[0].header_bytes);
    filter_header_fields(header, names, false);
    filter_header_fields(header, names, true);
    header_values(header, "subject");

    // The same bytes as an index from a damaged disk.
    if (const auto index = message_index::decode(mail)) {
        imap_body_structure(*index, true);
        demand(message_index::decode(index->encode()).value() == *index);
    }
    return 0;
}

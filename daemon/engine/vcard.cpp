#include "daemon/engine/vcard.hpp"

#include "daemon/engine/mime_writer.hpp"
#include "proto/mail/ascii.hpp"

namespace pp::engine {

namespace {

constexpr std::size_t card_line_bytes_max = 75;   // RFC 2426 section 2.6

std::string escaped(std::string_view value) {     // RFC 2426 section 4: text-value
    std::string out;
    for (const char c : clean_text(value)) {
        if (c == '\\' || c == ',' || c == ';') out += '\\';
        out += c;
    }
    return out;
}

std::string folded(std::string_view line) {
    std::string out;
    std::size_t width = 0;
    while (!line.empty()) {
        const auto length = mail::ascii::utf8_sequence(line);
        if (width + length > card_line_bytes_max) {
            out += "\r\n ";
            width = 1;
        }
        out += line.substr(0, length);
        width += length;
        line.remove_prefix(length);
    }
    return out + "\r\n";
}

}  // namespace

std::string vcard(const card& c) {
    const std::string name = c.name.empty() ? c.address.substr(0, c.address.rfind('@')) : c.name;
    std::string out = "BEGIN:VCARD\r\nVERSION:3.0\r\n";
    out += folded("FN:" + escaped(name));
    out += folded("N:" + escaped(name) + ";;;;");
    out += folded("EMAIL;TYPE=INTERNET:" + escaped(c.address));
    // A URL has no blanks, and its commas and semicolons are not escaped (RFC 2426 section 3.6.8: a uri value).
    if (!c.invite_link.empty()) out += folded("URL:" + clean_text(c.invite_link));
    return out + "END:VCARD\r\n";
}

std::optional<read_card_result> read_vcard(std::string_view text) {
    text = text.substr(0, card_bytes_max);
    std::string unfolded;                           // RFC 2426 section 2.6
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r') continue;
        if (text[i] == '\n' && i + 1 < text.size() && (text[i + 1] == ' ' || text[i + 1] == '\t')) ++i;
        else unfolded += text[i];
    }
    read_card_result out;
    std::string address;
    for (std::string_view rest = unfolded; !rest.empty();) {
        const auto end = rest.find('\n');
        const auto line = rest.substr(0, end);
        rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
        const auto colon = line.find(':');
        if (colon == line.npos) continue;
        auto type = line.substr(0, std::min(line.find(';'), colon));
        if (const auto group = type.rfind('.'); group != type.npos) type.remove_prefix(group + 1);   // "item1.EMAIL"
        std::string value;
        for (std::size_t i = colon + 1; i < line.size(); ++i) {
            if (line[i] == '\\' && i + 1 < line.size()) ++i;
            value += line[i];
        }
        if (mail::ascii::equal_no_case(type, "FN") && out.name.empty()) out.name = clean_text(value);
        if (mail::ascii::equal_no_case(type, "URL") && value.starts_with("peerpost:")) out.contact = value;
        if (mail::ascii::equal_no_case(type, "EMAIL") && value.ends_with(".peerpost.alt") && address.empty())
            address = value;
    }
    if (out.contact.empty()) out.contact = address;
    if (out.contact.empty()) return std::nullopt;
    return out;
}

}  // namespace pp::engine

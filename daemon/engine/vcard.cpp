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

}  // namespace pp::engine

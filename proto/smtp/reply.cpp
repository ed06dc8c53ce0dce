#include "proto/smtp/reply.hpp"

#include "proto/smtp/limits.hpp"

#include <string_view>
#include <vector>

namespace pp::smtp {

namespace {

std::string without_controls(std::string_view line) {
    std::string out(line);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return out;
}

// Where to break a line of which `room` bytes fit: after the last blank, else before a whole UTF-8 character.
std::size_t fold_at(std::string_view line, std::size_t room) {
    const auto blank = line.rfind(' ', room - 1);
    if (blank != line.npos && blank > room / 2) return blank + 1;
    auto at = room;
    while (at > 1 && (static_cast<unsigned char>(line[at]) & 0xc0) == 0x80) --at;
    return at;
}

}  // namespace

std::string wire_form(const reply& r) {
    const std::string status = r.enhanced.empty() ? std::string() : without_controls(r.enhanced) + ' ';
    const std::size_t room = reply_line_bytes_max - 2 - 4 - status.size();
    std::vector<std::string> lines;
    std::string_view rest = r.text;
    for (bool more = true; more;) {
        const auto end = rest.find('\n');
        more = end != rest.npos;
        std::string line = without_controls(rest.substr(0, end));
        rest.remove_prefix(more ? end + 1 : rest.size());
        while (line.size() > room) {
            const auto at = fold_at(line, room);
            lines.push_back(line.substr(0, at));
            line.erase(0, at);
        }
        lines.push_back(std::move(line));
    }
    std::string out;
    const std::string code = std::to_string(r.code);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        out += code;
        out += i + 1 < lines.size() ? '-' : ' ';
        out += status + lines[i] + "\r\n";
    }
    return out;
}

}  // namespace pp::smtp

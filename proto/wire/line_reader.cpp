#include "proto/wire/line_reader.hpp"

#include <algorithm>
#include <array>

namespace pp::wire {

std::string_view without_line_end(std::string_view line) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

line_reader::got line_reader::take(input_buffer& in, std::size_t max, std::string& line) {
    const auto text = in.text();
    const auto end = text.find('\n', seen_);
    if (end == text.npos) {
        seen_ = text.size();
        if (text.size() > max + 1) too_long_ = true;   // one more for CR
        if (too_long_) {
            in.consume(text.size());
            seen_ = 0;
        }
        return got::more;
    }
    const auto whole = text.substr(0, end + 1);
    if (without_line_end(whole).size() > max) too_long_ = true;
    if (too_long_) line.clear();
    else line = whole;
    in.consume(whole.size());
    seen_ = 0;
    return std::exchange(too_long_, false) ? got::too_long : got::line;
}

bool looks_like_http(std::string_view line) {
    constexpr std::array<std::string_view, 10> methods{"GET",    "POST",    "PUT",   "HEAD",  "OPTIONS",
                                                       "DELETE", "CONNECT", "PATCH", "TRACE", "PRI"};
    const auto end = line.find_first_of(" \t/\r\n");   // a word whose end has not come yet is no word
    if (end != line.npos) {
        std::string word(line.substr(0, end));
        for (char& c : word)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (std::find(methods.begin(), methods.end(), word) != methods.end()) return true;
    }
    return line.find(" HTTP/") != line.npos;
}

}  // namespace pp::wire

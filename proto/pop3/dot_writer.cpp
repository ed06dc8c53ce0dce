#include "proto/pop3/dot_writer.hpp"

#include <algorithm>

namespace pp::pop3 {

void dot_writer::line_ended(std::string& out) {
    out += after_cr_ ? "\n" : "\r\n";
    // A line of nothing but CR is empty as well.
    const bool empty = line_empty_;
    line_empty_ = true;
    after_cr_ = false;
    if (in_header_) {
        if (!empty) return;
        in_header_ = false;
        done_ = lines_left_ == 0u;
    } else if (lines_left_) {
        done_ = --*lines_left_ == 0;
    }
}

void dot_writer::update(bytes_view in, std::string& out) {
    auto text = as_text(in);
    while (!text.empty() && !done_) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto content = text.substr(0, end);
        if (!content.empty()) {
            if (line_empty_ && !after_cr_ && content.front() == '.') out += '.';
            out += content;
            if (content != "\r" || after_cr_) line_empty_ = false;
            after_cr_ = content.back() == '\r';
        }
        if (end == text.size()) return;
        line_ended(out);
        text.remove_prefix(end + 1);
    }
}

void dot_writer::finish(std::string& out) {
    if (!line_empty_ || after_cr_) line_ended(out);
    out += ".\r\n";
}

}  // namespace pp::pop3

#include "proto/smtp/body_reader.hpp"

namespace pp::smtp {

void body_reader::put(char c, bytes& out) {
    if (!broken_) out.push_back(static_cast<std::byte>(c));
}

void body_reader::bare(char c, bytes& out) {
    if (keep_bare_)
        put(c, out);
    else
        broken_ = true;
}

std::size_t body_reader::update(bytes_view in, bytes& out) {
    const std::string_view text = as_text(in);
    std::size_t at = 0;
    while (at < text.size() && state_ != state::ended) {
        if (state_ == state::text) {   // the bulk of every mail: up to the next line end in one piece
            auto stop = text.find_first_of("\r\n", at);
            if (stop == text.npos) stop = text.size();
            if (!broken_) out.insert(out.end(), in.begin() + static_cast<std::ptrdiff_t>(at),
                                     in.begin() + static_cast<std::ptrdiff_t>(stop));
            at = stop;
            if (at == text.size()) break;
        }
        const char c = text[at++];
        switch (state_) {
        case state::line_start:
            if (c == '.' && form_ == form::dotted) {
                state_ = state::dot;
                break;
            }
            [[fallthrough]];
        case state::text:
            state_ = state::text;
            if (c == '\r') state_ = state::cr;
            else if (c == '\n') bare(c, out);
            else put(c, out);
            break;
        case state::cr:
            if (c == '\n') {
                put('\r', out);
                put('\n', out);
                state_ = state::line_start;
                break;
            }
            bare('\r', out);
            if (c == '\r') break;   // this one may still get its LF
            put(c, out);
            state_ = state::text;
            break;
        case state::dot:
            if (c == '\r') {
                state_ = state::dot_cr;
                break;
            }
            state_ = state::text;
            if (c == '\n') bare(c, out);
            else put(c, out);
            break;
        case state::dot_cr:
            if (c == '\n') {
                state_ = state::ended;
                break;
            }
            bare('\r', out);
            if (c == '\r') {
                state_ = state::cr;
                break;
            }
            put(c, out);
            state_ = state::text;
            break;
        case state::ended: break;
        }
    }
    return at;
}

void body_reader::finish(bytes& out) {
    if (state_ == state::cr) bare('\r', out);
    state_ = state::ended;
}

}  // namespace pp::smtp

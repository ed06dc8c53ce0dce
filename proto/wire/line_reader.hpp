// Lines out of an input buffer, the same for every text protocol: a line never takes more memory than its limit, and
// the words of a web page are known in whatever pieces they come.
#pragma once

#include "proto/wire/dialogue.hpp"

#include <string>

namespace pp::wire {

class line_reader {
public:
    enum class got { line, too_long, more };

    // Takes one line off the front of `in`, with its line end (LF, or CR LF) into `line`. Longer than max bytes without
    // the line end: dropped up to its end. more: the end has not come yet; what is too long is dropped as it comes.
    got take(input_buffer& in, std::size_t max, std::string& line);
    // The beginning of the line is gone already: what is in the buffer is no word of it.
    bool dropping() const { return too_long_; }

private:
    std::size_t seen_ = 0;     // bytes of the buffer known to hold no LF
    bool too_long_ = false;
};

// The line without its line end.
std::string_view without_line_end(std::string_view line);

// 06-security 6.1.2: a web page can make a browser send to a local port, but not without these words. The line may be a
// beginning of one.
bool looks_like_http(std::string_view line);

}  // namespace pp::wire

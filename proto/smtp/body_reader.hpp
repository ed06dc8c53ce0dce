// The bytes of a mail out of DATA (RFC 5321 section 4.5.2: dots removed) or BDAT (RFC 3030: as they are), cut anywhere.
//
// DATA ends at CRLF "." CRLF and nowhere else: a lone CR or LF never begins a line. That, and the refusal of the mail
// that holds one, is what closes the door to smuggling (06-security 6.1.3).
//
//            "."            CR              LF
//   line_start -> dot --------> dot_cr --------> ended
//     |   ^        |other         |other
//     v   |CRLF    v              v
//    text -> cr   (dot removed) text, bare
#pragma once

#include "crypto/bytes.hpp"

namespace pp::smtp {

class body_reader {
public:
    enum class form { dotted, plain };

    explicit body_reader(form f, bool keep_bare_line_ends = false) : form_(f), keep_bare_(keep_bare_line_ends) {}

    // Takes bytes of `in` and appends the mail's bytes to `out` (at most one more than taken). Stops behind the end of
    // a dotted body. Returns how many were taken. Once broken() nothing is appended any more; the end is still found.
    std::size_t update(bytes_view in, bytes& out);
    // A plain body is over (BDAT LAST): a CR that still waits for its LF will not get it.
    void finish(bytes& out);

    bool ended() const { return state_ == state::ended; }
    bool broken() const { return broken_; }   // a bare CR or LF was seen

private:
    enum class state { line_start, text, cr, dot, dot_cr, ended };

    void bare(char c, bytes& out);
    void put(char c, bytes& out);

    form form_;
    bool keep_bare_;
    bool broken_ = false;
    state state_ = state::line_start;
};

}  // namespace pp::smtp

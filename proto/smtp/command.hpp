// Command lines of submission (RFC 5321 section 4.1) taken apart; no behaviour. Every parser gives the value or the
// reply that says what is wrong with the line.
#pragma once

#include "proto/smtp/server_session.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace pp::smtp {

struct command_line {
    std::string verb;            // in capitals
    std::string_view argument;   // trimmed of blanks at both ends
};
command_line split_command(std::string_view line);

template <class T>
using parsed = std::variant<T, reply>;

// The argument of MAIL and RCPT ("FROM:<a@b> SIZE=1"). Tolerated: blanks after the colon, a path without <>, a source
// route (RFC 5321 appendix C: accepted and ignored). size_max in bytes, 0 for none.
parsed<mail_from> parse_mail(std::string_view argument, std::uint64_t size_max);
// smtputf8: what MAIL said. host_name completes a bare "Postmaster" (RFC 5321 section 4.1.1.3).
parsed<recipient> parse_rcpt(std::string_view argument, bool smtputf8, std::string_view host_name);

struct bdat {
    std::uint64_t size_bytes = 0;
    bool last = false;
};
parsed<bdat> parse_bdat(std::string_view argument);

}  // namespace pp::smtp

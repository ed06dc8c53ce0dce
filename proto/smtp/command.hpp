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
// route (RFC 5321 appendix C: accepted and ignored). Of the options: size_max and the limits of holding.
parsed<mail_from> parse_mail(std::string_view argument, const session_options& options);
// smtputf8: what MAIL said. host_name completes a bare "Postmaster" (RFC 5321 section 4.1.1.3).
parsed<recipient> parse_rcpt(std::string_view argument, bool smtputf8, std::string_view host_name);

// "2026-11-22T07:00:00Z" (RFC 4865 section 4, RFC 3339 section 5.6) and back, in unix seconds.
std::optional<std::int64_t> parse_moment(std::string_view text);
std::string moment_text(std::int64_t unix_s);

struct bdat {
    std::uint64_t size_bytes = 0;
    bool last = false;
};
parsed<bdat> parse_bdat(std::string_view argument);

}  // namespace pp::smtp

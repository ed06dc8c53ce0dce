// Inside of the submission machine: what a session remembers, and its parts by subject. Not for other boxes.
//
// Invariants:
// - A mail is under way (mail_open) from a good answer to mail_from until body_end is asked or body_abort is asked:
//   the daemon hears exactly one of the two for each mail it has accepted, unless the machine is destroyed before.
// - Nothing of a refused or broken body is ever read as a command:
//   BDAT octets are counted off, DATA is read to its end.
// - What was received before TLS is never used after it.
#pragma once

#include "proto/smtp/body_reader.hpp"
#include "proto/smtp/command.hpp"
#include "proto/smtp/limits.hpp"
#include "proto/smtp/server_session.hpp"

namespace pp::smtp {

struct server_session::state {
    state(server_session& owner, session_options given) : self(owner), options(std::move(given)) {}

    // session_lines.cpp: reading, replying
    enum class got { line, too_long, http, over };
    wire::task<got> read_line(bool in_auth);      // into `line`, without its line end
    wire::task<bool> more_input();                // false: the session is over, and the client has been told why
    void say(const reply& r);
    void bad(const reply& r);                     // a command that makes no sense where it stands: counted
    reply closing(std::string enhanced, std::string text) const;

    // server_session.cpp: the commands without a file of their own
    wire::task<> converse();
    wire::task<> run(const command_line& command);
    wire::task<> hello(const command_line& command);
    wire::task<> tls();
    wire::task<> quit();
    wire::task<> give_up_mail();                  // body_abort, when a mail is under way

    // session_auth.cpp
    wire::task<> auth(std::string_view argument);
    struct auth_host;

    // session_mail.cpp
    wire::task<> mail(std::string_view argument);
    wire::task<> rcpt(std::string_view argument);

    // session_body.cpp
    wire::task<> data(std::string_view argument);
    wire::task<> chunk(std::string_view argument);                 // BDAT
    void begin_body(body_reader::form how, bool keep_bare_line_ends);
    // Takes what has come of the body, waits when that is nothing: how many octets, at most so many. nullopt: over.
    wire::task<std::optional<std::size_t>> read_body(std::uint64_t octets);
    wire::task<> take_body(bytes piece);                           // judges and passes on
    wire::task<> end_body();
    wire::task<bool> skip(std::uint64_t octets);                   // false: the session is over
    std::optional<reply> body_refusal() const;                     // why the sequence of commands allows no body
    reply body_verdict() const;                                    // of a body that was given up

    server_session& self;
    session_options options;
    std::string line;

    bool over = false;
    bool greeted = false;                                          // EHLO or HELO
    bool logged_in = false;
    int commands_before_login = 0;
    int bad_commands = 0;

    bool mail_open = false, smtputf8 = false, binary = false;      // of the mail under way
    std::size_t recipients = 0;

    enum class fault { none, bare_line_end, too_large };
    std::optional<body_reader> body;                               // while a body is being taken
    std::uint64_t body_bytes = 0;
    fault body_fault = fault::none;
};

}  // namespace pp::smtp

// Inside of the POP3 machine: what a session remembers, and its parts by subject. Not for other boxes.
//
// Invariants:
// - Message numbers are places in the maildrop of the login, from 1; they never move (RFC 1939 section 5).
// - Only QUIT in TRANSACTION asks for update, once.
// - What was received before TLS is never used after it.
#pragma once

#include "proto/pop3/limits.hpp"
#include "proto/pop3/server_session.hpp"
#include "proto/wire/line_reader.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace pp::pop3 {

struct command_line {
    std::string verb;              // in capitals
    std::string_view argument;     // behind the first blank, as sent
};
command_line split_command(std::string_view line);

struct server_session::state {
    state(server_session& owner, session_options given) : self(owner), options(std::move(given)) {}

    // server_session.cpp: the frame and the commands without a file of their own
    wire::task<> converse();
    wire::task<> run(const command_line& command);
    wire::task<> run_before_login(const command_line& command);
    wire::task<> run_after_login(const command_line& command);
    void capabilities();
    void languages(std::string_view argument);
    wire::task<> tls();
    void say(std::string_view line);              // without its line end
    void bad(std::string_view text);              // -ERR for what makes no sense where it stands: counted
    void refuse(const refusal& why);              // -ERR [code] text
    enum class got { line, too_long, over };
    wire::task<got> read_line(std::size_t max);   // into `line`, without its line end
    wire::task<bool> more_input();                // false: the session is over

    // session_login.cpp: USER, PASS, AUTH
    wire::task<> pass(std::string_view password);
    wire::task<> auth(std::string_view argument);
    wire::task<> log_in_done(bool good, const refusal& why);
    struct auth_host;

    // session_maildrop.cpp: STAT, LIST, UIDL, DELE, RSET, and QUIT's update
    wire::task<> list(std::string_view argument, bool unique_ids);
    void stat();
    void dele(std::string_view argument);
    wire::task<> quit();
    // The message of this number: its place. Nothing (and answered) when there is none or it is deleted.
    std::optional<std::size_t> message(std::string_view number);
    static std::optional<std::uint32_t> number(std::string_view digits);

    // session_retrieve.cpp: RETR, TOP
    wire::task<> retr(std::string_view argument);
    wire::task<> top(std::string_view argument);
    // False: the mail could not be read to its end, and the session is over.
    wire::task<bool> transfer(std::size_t place, std::optional<std::uint32_t> body_lines);

    server_session& self;
    session_options options;
    std::string line;
    wire::line_reader lines;

    bool over = false;
    bool logged_in = false;
    std::string user;
    int commands_before_login = 0;
    int bad_commands = 0;

    struct message_entry {
        maildrop_entry mail;
        bool deleted = false, retrieved = false;
    };
    std::vector<message_entry> maildrop;
};

}  // namespace pp::pop3

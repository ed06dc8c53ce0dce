// The conversation from greeting to QUIT, and the commands that need no file of their own.
#include "proto/pop3/server_session.hpp"

#include "proto/pop3/session_state.hpp"
#include "proto/sasl/mechanism.hpp"

#include <algorithm>

namespace pp::pop3 {

server_session::server_session(session_options options)
    : state_(std::make_unique<state>(*this, std::move(options))) {}
server_session::~server_session() = default;

wire::task<> server_session::converse() { return state_->converse(); }

command_line split_command(std::string_view line) {
    const auto end = std::min(line.find(' '), line.size());
    command_line out{std::string(line.substr(0, end)), line.substr(std::min(end + 1, line.size()))};
    for (char& c : out.verb)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

void server_session::state::say(std::string_view text) {
    self.send(text);
    self.send("\r\n");
}

void server_session::state::refuse(const refusal& why) {
    say("-ERR " + (why.code.empty() ? std::string() : "[" + why.code + "] ") + why.text);
}

void server_session::state::bad(std::string_view text) {
    say("-ERR " + std::string(text));
    if (++bad_commands < (logged_in ? bad_commands_after_login_max : bad_commands_before_login_max)) return;
    say("-ERR too many errors, closing the connection");
    over = true;
}

wire::task<bool> server_session::state::more_input() {
    if (logged_in) self.set_deadline(self.now() + inactivity_timeout);
    const auto why = co_await self.more_input();
    if (why == wire::woken::input) co_return true;
    over = true;   // RFC 1939 section 3: a session that times out is closed without a word
    co_return false;
}

wire::task<server_session::state::got> server_session::state::read_line(std::size_t max) {
    co_await self.drained();   // a client that sends commands and reads no replies waits here
    for (;;) {
        if (!logged_in && !lines.dropping()) {   // of this line only, and as far as it is kept, so that no cut matters
            const auto text = self.input().text();
            if (wire::looks_like_http(text.substr(0, std::min(text.find('\n'), max)))) {
                over = true;   // not one byte: it is no mail client that would read it
                co_return got::over;
            }
        }
        const auto what = lines.take(self.input(), max, line);
        if (what == wire::line_reader::got::too_long) co_return got::too_long;
        if (what == wire::line_reader::got::line) {
            line.resize(wire::without_line_end(line).size());
            co_return got::line;
        }
        const bool goes_on = co_await more_input();
        if (!goes_on) co_return got::over;
    }
}

wire::task<> server_session::state::converse() {
    self.set_deadline(self.now() + login_timeout);
    say("+OK peerpost ready");
    while (!over) {
        const auto what = co_await read_line(command_line_bytes_max);
        if (what == got::over) break;
        if (what == got::too_long) {
            bad("the line is too long");
            continue;
        }
        if (std::any_of(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
            bad("the line holds characters that no command has");
            continue;
        }
        const command_line command = split_command(line);
        co_await run(command);
    }
}

wire::task<> server_session::state::run(const command_line& command) {
    if (!logged_in && ++commands_before_login > commands_before_login_max) {
        say("-ERR too many commands before login, closing the connection");
        over = true;
    } else if (command.verb == "CAPA") {
        capabilities();
    } else if (command.verb == "LANG") {
        languages(command.argument);
    } else if (command.verb == "QUIT") {
        co_await quit();
    } else if (logged_in) {
        co_await run_after_login(command);
    } else {
        co_await run_before_login(command);
    }
}

wire::task<> server_session::state::run_before_login(const command_line& command) {
    const auto& verb = command.verb;
    if (verb == "STLS") {
        co_await tls();
    } else if (verb == "UTF8") {   // RFC 6856 section 2.1: mails go out as they are, in this mode and without it
        say("+OK UTF8 enabled");
    } else if ((verb == "USER" || verb == "PASS" || verb == "AUTH") && !options.login_allowed) {
        bad("say STLS before you log in");
    } else if (verb == "USER") {
        user = command.argument;
        if (user.empty()) bad("USER takes a name");
        else say("+OK now the password");   // known or not: RFC 1939 section 13
    } else if (verb == "PASS") {
        co_await pass(command.argument);
    } else if (verb == "AUTH") {
        co_await auth(command.argument);
    } else {
        bad("log in first");
    }
}

wire::task<> server_session::state::run_after_login(const command_line& command) {
    const auto& verb = command.verb;
    if (verb == "STAT") {
        stat();
    } else if (verb == "LIST" || verb == "UIDL") {
        co_await list(command.argument, verb == "UIDL");
    } else if (verb == "RETR") {
        co_await retr(command.argument);
    } else if (verb == "TOP") {
        co_await top(command.argument);
    } else if (verb == "DELE") {
        dele(command.argument);
    } else if (verb == "NOOP") {
        say("+OK");
    } else if (verb == "RSET") {
        for (auto& m : maildrop) m.deleted = false;
        say("+OK nothing is deleted");
    } else if (verb == "USER" || verb == "PASS" || verb == "AUTH" || verb == "STLS" || verb == "UTF8") {
        bad("you are logged in already");
    } else {
        bad("the command is not known");
    }
}

// RFC 2449 section 5: what is there before the login is announced in both states. RFC 2595 section 4: no login is
// offered where it is not allowed.
void server_session::state::capabilities() {
    say("+OK capabilities follow");
    if (options.login_allowed) {
        say("USER");
        say("SASL " + sasl::offered_mechanisms("", options.tls_active));
    }
    if (options.offer_starttls && !options.tls_active) say("STLS");
    for (const auto* name :
         {"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "UTF8", "LANG"})
        say(name);
    say("IMPLEMENTATION peerpost " + options.server_version);
    say(".");
}

// RFC 6856 section 3. There is one language; "*" asks for the one that the server prefers.
void server_session::state::languages(std::string_view argument) {
    if (argument.empty()) {
        say("+OK language listing follows");
        say("en English");
        say(".");
    } else if (argument == "*" || argument == "en" || argument == "EN" || argument.starts_with("en-")) {
        say("+OK en language changed");
    } else {
        say("-ERR there is no such language here");
    }
}

// RFC 2595 section 4. Bytes that came behind the command were not protected: who sends some is an attacker or broken.
wire::task<> server_session::state::tls() {
    if (options.tls_active) {
        bad("TLS is on already");
        co_return;
    }
    if (!options.offer_starttls) {
        bad("TLS is not offered here");
        co_return;
    }
    if (!self.input().empty()) {
        over = true;
        co_return;
    }
    say("+OK begin TLS");
    start_tls question;
    co_await self.ask(std::move(question));
    if (!self.input().empty()) {
        over = true;
        co_return;
    }
    options.tls_active = true;
    options.login_allowed = true;
    user.clear();
    bad_commands = 0;
    self.set_deadline(self.now() + login_timeout);
}

}  // namespace pp::pop3

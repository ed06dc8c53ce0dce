// The conversation from greeting to QUIT, and the commands that need no file of their own.
#include "proto/smtp/server_session.hpp"

#include "proto/mail/ascii.hpp"
#include "proto/sasl/mechanism.hpp"
#include "proto/smtp/session_state.hpp"

namespace pp::smtp {

server_session::server_session(session_options options)
    : state_(std::make_unique<state>(*this, std::move(options))) {}
server_session::~server_session() = default;

wire::task<> server_session::converse() { return state_->converse(); }

namespace {

bool is_clean_text(std::string_view line) {   // UTF-8 (RFC 6531) without control characters
    while (!line.empty()) {
        const auto length = pp::mail::ascii::utf8_sequence(line);
        if (length == 0 || (length == 1 && line.front() != '\t' && pp::mail::ascii::is_control(line.front())))
            return false;
        line.remove_prefix(length);
    }
    return true;
}

}  // namespace

wire::task<> server_session::state::converse() {
    self.set_deadline(self.now() + login_timeout);
    say({220, "", options.host_name + " ESMTP peerpost"});
    while (!over) {
        const auto what = co_await read_line(false);
        if (what == got::http || what == got::over) break;
        if (what == got::too_long) {
            bad({500, "5.5.2", "the line is too long"});
            continue;
        }
        std::string_view text = line;
        if (!text.ends_with("\r\n")) {
            bad({500, "5.5.2", "lines end with CR LF"});
            continue;
        }
        text.remove_suffix(2);
        if (!is_clean_text(text)) {
            bad({500, "5.5.2", "the line holds characters that no command has"});
            continue;
        }
        const command_line command = split_command(text);
        co_await run(command);
    }
    co_await give_up_mail();
}

wire::task<> server_session::state::run(const command_line& command) {
    const std::string& verb = command.verb;
    if (!logged_in && ++commands_before_login > commands_before_login_max) {
        say(closing("4.7.0", "too many commands before login"));
        over = true;
        co_return;
    }
    if (verb == "EHLO" || verb == "HELO") {
        co_await hello(command);
    } else if (verb == "MAIL") {
        co_await mail(command.argument);
    } else if (verb == "RCPT") {
        co_await rcpt(command.argument);
    } else if (verb == "DATA") {
        co_await data(command.argument);
    } else if (verb == "BDAT") {
        co_await chunk(command.argument);
    } else if (verb == "AUTH") {
        co_await auth(command.argument);
    } else if (verb == "STARTTLS") {
        if (!command.argument.empty()) bad({501, "5.5.4", "STARTTLS takes no parameters"});
        else co_await tls();
    } else if (verb == "RSET") {
        if (!command.argument.empty()) {
            bad({501, "5.5.4", "RSET takes no parameters"});
        } else {
            co_await give_up_mail();
            say({250, "2.0.0", "forgotten"});
        }
    } else if (verb == "QUIT") {
        co_await quit();
    } else if (verb == "NOOP") {
        say({250, "2.0.0", "here"});
    } else if (verb == "VRFY") {   // RFC 5321 section 3.5.3: tells nothing, costs nothing
        if (command.argument.empty()) bad({501, "5.5.4", "VRFY takes an address"});
        else say({252, "2.0.0", "send the mail; RCPT says whether the address can be reached"});
    } else if (verb == "EXPN") {
        say({502, "5.5.1", "there are no lists here"});
    } else if (verb == "HELP") {
        say({214, "2.0.0",
             "peerpost takes mail from your mail client\nEHLO AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT"});
    } else {
        bad({500, "5.5.1", "the command is not known"});
    }
}

// RFC 5321 section 4.1.1.1. Any name is taken, address literals too: Thunderbird says EHLO [127.0.0.1].
wire::task<> server_session::state::hello(const command_line& command) {
    if (command.argument.empty()) {
        bad({501, "5.5.4", command.verb + " takes the client's name"});
        co_return;
    }
    co_await give_up_mail();   // RFC 5321 section 4.1.4: like RSET
    greeted = true;
    if (command.verb == "HELO") {
        say({250, "", options.host_name});
        co_return;
    }
    std::string text = options.host_name + "\nPIPELINING\nSIZE";
    if (options.size_max > 0) text += ' ' + std::to_string(options.size_max);
    text += "\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nDSN\nCHUNKING\nBINARYMIME";
    text += "\nLIMITS RCPTMAX=" + std::to_string(recipients_max);   // RFC 9422
    if (options.hold_for_max_s > 0)                                  // RFC 4865 section 4
        text += "\nFUTURERELEASE " + std::to_string(options.hold_for_max_s) + ' ' + moment_text(options.hold_until_max);
    if (options.offer_starttls && !options.tls_active) text += "\nSTARTTLS";
    if (options.login_allowed) text += "\nAUTH " + sasl::offered_mechanisms("", options.tls_active);
    text += "\nHELP";
    say({250, "", std::move(text)});
}

// RFC 3207. Bytes that came behind the command were not protected: who sends some is an attacker or broken.
wire::task<> server_session::state::tls() {
    if (options.tls_active) {
        bad({503, "5.5.1", "TLS is on already"});
        co_return;
    }
    if (!options.offer_starttls) {
        bad({502, "5.5.1", "TLS is not offered here"});
        co_return;
    }
    if (!self.input().empty()) {
        over = true;
        co_return;
    }
    co_await give_up_mail();
    say({220, "2.0.0", "begin TLS"});
    start_tls question;
    co_await self.ask(std::move(question));
    if (!self.input().empty()) {
        over = true;
        co_return;
    }
    // RFC 3207 section 4.2: all knowledge from before is discarded.
    options.tls_active = true;
    options.login_allowed = true;
    greeted = false;
    logged_in = false;
    bad_commands = 0;
    self.set_deadline(self.now() + login_timeout);
}

wire::task<> server_session::state::quit() {
    co_await give_up_mail();
    say({221, "2.0.0", options.host_name + " closes the connection"});
    over = true;
}

wire::task<> server_session::state::give_up_mail() {
    body.reset();
    recipients = 0;
    smtputf8 = binary = false;
    if (!mail_open) co_return;
    mail_open = false;
    body_abort question;
    co_await self.ask(std::move(question));
}

}  // namespace pp::smtp

// MAIL and RCPT (RFC 5321 section 4.1.1.2, 4.1.1.3) with their parameters.
#include "proto/smtp/session_state.hpp"

namespace pp::smtp {

wire::task<> server_session::state::mail(std::string_view argument) {
    if (!greeted) {
        bad({503, "5.5.1", "say EHLO first"});
        co_return;
    }
    if (!logged_in) {   // RFC 4954 section 6
        bad({530, "5.7.0", "log in first"});
        co_return;
    }
    if (mail_open) {
        bad({503, "5.5.1", "a mail is under way already; RSET forgets it"});
        co_return;
    }
    auto parsed_line = parse_mail(argument, options);
    if (auto* wrong = std::get_if<reply>(&parsed_line)) {
        // Too large is a verdict on the mail (RFC 1870 section 6.1), not a mistake of the client.
        if (wrong->code == 552) say(*wrong);
        else bad(*wrong);
        co_return;
    }
    auto question = std::get<mail_from>(std::move(parsed_line));
    smtputf8 = question.smtputf8;
    binary = question.body_binary;
    const reply decision = co_await self.ask(std::move(question));
    mail_open = decision.positive();
    recipients = 0;
    say(decision);
}

wire::task<> server_session::state::rcpt(std::string_view argument) {
    if (!mail_open || body) {
        bad({503, "5.5.1", body ? "the body has begun already" : "say MAIL first"});
        co_return;
    }
    if (recipients == recipients_max) {   // RFC 5321 section 4.5.3.1.10
        say({452, "4.5.3", "a mail has at most " + std::to_string(recipients_max) + " recipients here"});
        co_return;
    }
    auto parsed_line = parse_rcpt(argument, smtputf8, options.host_name);
    if (auto* wrong = std::get_if<reply>(&parsed_line)) {
        bad(*wrong);
        co_return;
    }
    auto question = std::get<recipient>(std::move(parsed_line));
    const reply decision = co_await self.ask(std::move(question));
    if (decision.positive()) ++recipients;
    say(decision);
}

}  // namespace pp::smtp

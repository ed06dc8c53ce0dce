// The frame around every command: greeting, state check, tagged response, news, the end of the session
// (RFC 9051 sections 5.2, 5.3, 7.1). Input is in connection_input.cpp, the selected mailbox in connection_news.cpp.
#include "proto/imap/connection.hpp"

#include "proto/imap/capability.hpp"
#include "proto/imap/notify.hpp"
#include "proto/imap/grammar/response.hpp"

namespace pp::imap {

connection::connection(server_session& machine, session_options given)
    : options(std::move(given)), tls_active(options.tls_active), machine_(machine) {}

connection::~connection() = default;

void connection::logged_in() {
    logged_in_ = true;
    bad_commands_ = 0;
}

wire::task<> connection::serve() {
    set_deadline(now() + login_time_max);
    untagged("OK [CAPABILITY " + capability_text(*this) + "] peerpost ready");
    while (!over) {
        if (notify) co_await tell_while_quiet();
        if (over || leaving) break;
        command cmd;
        const bool runs = co_await read_command(cmd);
        if (runs) co_await run_command(cmd);
        if (!over) co_await drained();
    }
    if (selected) co_await leave_mailbox();
}

wire::task<> connection::run_command(command& cmd) {
    const auto* entry = find_command(cmd.name);
    const unsigned state = at() == phase::selected        ? in_selected
                           : at() == phase::authenticated ? in_authenticated
                                                          : in_not_authenticated;
    if (!appends_.empty() && cmd.name != "APPEND") co_await settle_appends();
    reply result;
    if (over) co_return;
    if (!entry) {
        result = bad("Unknown command");
    } else if (cmd.uid && !entry->has_uid_form) {
        result = bad("This command has no UID form");
    } else if (!(entry->states & state)) {
        result = bad(at() == phase::not_authenticated      ? "Log in first"
                     : entry->states == in_not_authenticated ? "Already logged in"
                                                             : "No mailbox is selected");
    } else if (uid_only && entry->has_uid_form && !cmd.uid && cmd.name != "EXPUNGE" && cmd.name != "ESEARCH") {
        result = uid_required();   // RFC 9586 section 3
    } else if (cmd.body && cmd.body->binary && !takes_mail(cmd.name) && !takes_literal8(cmd.name)) {
        result = bad("A binary literal does not belong here");   // RFC 9051 section 9, literal8
    } else if (cmd.body && !takes_mail(cmd.name)) {
        // RFC 5464 section 4.3: the value of an annotation has a code of its own.
        result =
            no("The literal is too large",
               takes_literal8(cmd.name) ? "METADATA MAXSIZE " + std::to_string(metadata_value_bytes_max) : "TOOBIG");
    } else {
        if (selected) selected->forget_given_modseq();
        running_tag_ = cmd.tag;
        progress_at_ = now() + progress_every;
        result = co_await entry->run(*this, cmd);
        if (!over && (selected || notify) && result.what != reply::kind::bad) co_await tell_news_of(cmd, entry->tell);
    }
    // answers keep the order of their commands
    if (!appends_.empty() && result.what != reply::kind::sent) co_await settle_appends();
    if (!over && logged_in_) co_await tell_metadata();
    if (!over) finish(cmd, result);
    if (!over && cmd.body) co_await discard(*cmd.body);
}

void connection::finish(const command& cmd, const reply& result) {
    if (result.what == reply::kind::sent) return;
    std::string line = cmd.tag;
    line += result.what == reply::kind::ok ? " OK " : result.what == reply::kind::no ? " NO " : " BAD ";
    if (!result.code.empty()) line += '[' + line_text(result.code) + "] ";
    send(line + line_text(result.text) + "\r\n");
    if (leaving)
        over = true;
    else if (!logged_in_ && ++commands_before_login_ >= commands_before_login_max)
        bye("Too many commands before login");
    else if (result.what == reply::kind::bad)
        note_bad();
    else if (logged_in_)
        bad_commands_ = 0;
}

// 06-security 6.1.2: a web page that talks to the port gets three tries, whatever it says in between.
void connection::note_bad() {
    if (++bad_commands_ >= (logged_in_ ? bad_commands_in_a_row_max : bad_commands_before_login_max))
        bye("Too many bad commands");
}

void connection::untagged(std::string_view line) {
    send("* ");
    send(line);
    send("\r\n");
}

void connection::bye(std::string_view text, std::string_view code) {
    if (over) return;
    untagged("BYE " + (code.empty() ? std::string() : '[' + line_text(code) + "] ") + line_text(text));
    over = true;
}

void connection::tell_progress(std::size_t done, std::size_t goal) {
    if (now() < progress_at_ || over) return;
    progress_at_ = now() + progress_every;
    untagged("OK [INPROGRESS (" + string_text(running_tag_) + ' ' + std::to_string(done) + ' ' + std::to_string(goal) +
             ")] Still working on it");
}

bool connection::is_tired(std::size_t worked_bytes) {
    worked_bytes_ += worked_bytes;
    if (worked_bytes_ < work_bytes_per_turn) return false;
    worked_bytes_ = 0;
    return true;
}

wire::task<> connection::let_others_run() {
    pp::imap::let_others_run question;
    co_await ask(std::move(question));
}

reply connection::refused(const refusal& why) {
    if (why.bye) bye(why.text, why.code);
    return no(why.text, why.code);
}

}  // namespace pp::imap

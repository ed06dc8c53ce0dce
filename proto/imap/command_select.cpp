// SELECT, EXAMINE, UNSELECT, CLOSE (RFC 9051 sections 6.3.2, 6.3.3, 6.4.1, 6.4.2; RFC 3501 sections 6.3.1, 7.3.2 for
// RECENT and UNSEEN; RFC 4466 section 2.1 for parameters; RFC 7162 section 3.1.2 for HIGHESTMODSEQ).
#include "proto/imap/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/response.hpp"

namespace pp::imap {

namespace {

// RFC 4466 section 3, tagged-ext-val: passed over. A parameter we do not know asks for nothing we have offered.
void skip_value(parser& args) {
    if (args.take('(')) {
        if (!args.enter()) return;
        while (!args.failed() && !args.take(')')) {
            skip_value(args);
            args.take(' ');
        }
        args.leave();
    } else if (args.at_string()) {
        args.quoted_or_literal();
    } else if ((args.peek() >= '0' && args.peek() <= '9') || args.peek() == '*' || args.peek() == '$') {
        args.sequence();
    } else {
        args.atom();
    }
}

// "(" name [SP value] ... ")". True when CONDSTORE is among them.
bool select_parameters(parser& args) {
    bool condstore = false;
    args.expect('(');
    do {
        if (args.peek() == '(')
            skip_value(args);
        else if (args.peek() >= '0' && args.peek() <= '9')
            args.sequence();
        else
            condstore |= args.keyword() == "CONDSTORE";
    } while (args.take(' '));
    args.expect(')');
    return condstore;
}

void describe(connection& c, const opened_mailbox& opened, bool read_only) {
    c.untagged(c.flags_line());
    auto permanent = c.flags_line().substr(sizeof("FLAGS ") - 1);
    permanent.insert(permanent.size() - 1, " \\*");   // new keywords can be made
    c.untagged(read_only ? "OK [PERMANENTFLAGS ()] Read-only mailbox" : "OK [PERMANENTFLAGS " + permanent + "] Kept");
    c.untagged(std::to_string(c.selected->numbers.size()) + " EXISTS");
    if (!c.rev2) {
        c.untagged(std::to_string(c.selected->recent_count()) + " RECENT");
        if (opened.first_unseen > 0) c.untagged("OK [UNSEEN " + std::to_string(opened.first_unseen) + "] First unseen");
    }
    c.untagged("OK [UIDVALIDITY " + std::to_string(opened.status.uid_validity) + "] UIDs are valid");
    c.untagged("OK [UIDNEXT " + std::to_string(opened.status.uid_next) + "] Next UID");
    c.untagged("OK [HIGHESTMODSEQ " + std::to_string(opened.status.highest_modseq) + "] Highest");
    // RFC 9051 section 6.3.2: the name as the server writes it.
    if (c.rev2) c.untagged("LIST () \"/\" " + mailbox_text(c.selected->name, true));
}

wire::task<reply> open(connection& c, command& cmd, bool read_only) {
    open_mailbox question;
    question.read_only = read_only;
    bool condstore = false;
    cmd.args.space();
    question.name = cmd.args.mailbox(c.rev2);
    if (cmd.args.take(' ')) condstore = select_parameters(cmd.args);
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    // RFC 9051 section 6.3.2: the old mailbox is left even when the new one cannot be opened.
    if (c.selected) {
        co_await c.leave_mailbox();
        c.untagged("OK [CLOSED] The previous mailbox is closed");
    }
    c.clear_news();   // what comes from here on may concern the new mailbox
    auto name = question.name;
    auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    auto opened = std::get<opened_mailbox>(std::move(answer));
    if (opened.name.empty()) opened.name = std::move(name);
    c.condstore |= condstore;
    c.selected.emplace(opened, read_only);
    describe(c, opened, read_only);
    co_return read_only ? ok("EXAMINE completed", "READ-ONLY") : ok("SELECT completed", "READ-WRITE");
}

}  // namespace

wire::task<reply> run_select(connection& c, command& cmd) { return open(c, cmd, false); }
wire::task<reply> run_examine(connection& c, command& cmd) { return open(c, cmd, true); }

wire::task<reply> run_unselect(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    co_await c.leave_mailbox();
    co_return ok("UNSELECT completed");
}

// RFC 9051 section 6.4.1: expunges without saying so; nothing is expunged of a mailbox opened read-only.
wire::task<reply> run_close(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (!c.selected->read_only) {
        expunge_messages question;
        const auto answer = co_await c.ask(std::move(question));
        if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    }
    co_await c.leave_mailbox();
    co_return ok("CLOSE completed");
}

}  // namespace pp::imap

// SELECT, EXAMINE, UNSELECT, CLOSE (RFC 9051 sections 6.3.2, 6.3.3, 6.4.1, 6.4.2; RFC 3501 sections 6.3.1, 7.3.2 for
// RECENT and UNSEEN; RFC 4466 section 2.1 for parameters; RFC 7162 sections 3.1.2, 3.1.8, 3.2.5, 3.2.11 for
// HIGHESTMODSEQ, CONDSTORE, QRESYNC and CLOSED).
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/resync.hpp"
#include "proto/imap/grammar/list_name.hpp"
#include "proto/imap/grammar/response.hpp"

namespace pp::imap {

namespace {

struct select_parameters {
    bool condstore = false;
    std::optional<resync_request> resync;
};

// "(" name [SP value] ... ")". RFC 4466 section 2.1: what no extension of ours defines is refused with BAD.
select_parameters parse_parameters(parser& args) {
    select_parameters found;
    args.expect('(');
    do {
        const auto name = args.keyword();
        if (name == "CONDSTORE") {
            found.condstore = true;
        } else if (name == "QRESYNC") {
            args.space();
            found.resync = parse_resync(args);
        } else {
            args.fail("Unknown SELECT parameter");
        }
    } while (args.take(' '));
    args.expect(')');
    return found;
}

void describe(connection& c, const opened_mailbox& opened, std::string_view written) {
    c.tell_keywords();
    c.untagged(std::to_string(c.selected->numbers.size()) + " EXISTS");
    if (!c.rev2) {
        c.untagged(std::to_string(c.selected->recent_count()) + " RECENT");
        // RFC 9586: a client that uses UIDs only is told no numbers.
        if (opened.first_unseen > 0 && !c.uid_only)
            c.untagged("OK [UNSEEN " + std::to_string(opened.first_unseen) + "] First unseen");
    }
    c.untagged("OK [UIDVALIDITY " + std::to_string(opened.status.uid_validity) + "] UIDs are valid");
    c.untagged("OK [UIDNEXT " + std::to_string(opened.status.uid_next) + "] Next UID");
    c.untagged("OK [HIGHESTMODSEQ " + std::to_string(opened.status.highest_modseq) + "] Highest");
    c.untagged("OK [MAILBOXID " + mailbox_id_text(opened.status.mailbox) + "] Mailbox id");   // RFC 8474 section 4.2
    // RFC 9051 section 6.3.2: the name as the server writes it.
    if (c.rev2) c.untagged("LIST () \"/\" " + mailbox_text(c.selected->name, true) + old_name_item(written, true));
}

wire::task<reply> open(connection& c, command& cmd, bool read_only) {
    open_mailbox question;
    question.read_only = read_only;
    select_parameters parameters;
    cmd.args.space();
    question.name = cmd.args.mailbox(c.utf8());
    if (cmd.args.take(' ')) parameters = parse_parameters(cmd.args);
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (parameters.resync && !c.qresync) co_return bad("QRESYNC has not been enabled");   // RFC 7162 section 3.2.5
    if (parameters.resync && c.uid_only && !parameters.resync->sample_numbers.empty()) co_return uid_required();
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
    c.condstore |= parameters.condstore;
    c.selected.emplace(opened, read_only);
    describe(c, opened, cmd.args.written_name());
    if (parameters.resync) {
        const auto trouble = co_await tell_resync(c, *parameters.resync, opened.status);
        if (trouble) {   // RFC 9051 section 6.3.2: a SELECT that fails leaves no mailbox selected
            if (c.selected) co_await c.leave_mailbox();
            co_return *trouble;
        }
        if (c.over) co_return ok("");
    }
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

// RFC 9051 section 6.4.1: expunges without saying so; nothing is expunged of a mailbox opened read-only. Of one that
// another session has deleted nothing is left to expunge, and the client gets out of it all the same.
wire::task<reply> run_close(connection& c, command& cmd) {
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (!c.selected->read_only) {
        expunge_messages question;
        const auto answer = co_await c.ask(std::move(question));
        const auto* why = std::get_if<refusal>(&answer);
        if (why && why->code != "NONEXISTENT") co_return c.refused(*why);
    }
    co_await c.leave_mailbox();
    co_return ok("CLOSE completed");
}

}  // namespace pp::imap

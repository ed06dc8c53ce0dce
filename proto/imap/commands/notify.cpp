// NOTIFY SET and NOTIFY NONE (RFC 5465 section 3).
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/notify.hpp"
#include "proto/imap/grammar/status_items.hpp"

namespace pp::imap {

namespace {

// RFC 5465 section 3.1: what the STATUS indicator asks for, by the events that are watched.
std::vector<status_item> items_for(unsigned events) {
    std::vector<status_item> items = {status_item::messages, status_item::uid_next, status_item::uid_validity};
    if (events & notify_flag_change) {
        items.push_back(status_item::unseen);
        items.push_back(status_item::highest_modseq);
    }
    return items;
}

wire::task<> tell_statuses(connection& c) {
    const auto selected = c.selected ? c.selected->mailbox : 0;
    for (const auto& one : c.notify->seen()) {
        const auto events = c.notify->request.events_of(one.entry);
        if (!one.entry.exists || one.entry.mailbox == selected || !(events & notify_messages)) continue;
        c.untagged(status_line(c, one.entry.name, items_for(events), one.status));
        co_await c.drained();
        if (c.over) break;
    }
}

wire::task<reply> notify_none(connection& c) {
    if (c.notify && !c.notify->request.groups.empty()) co_await c.watch_account(false);
    c.notify = std::make_unique<notification>(notify_request(), mailbox_survey());
    co_return ok("NOTIFY completed");
}

}  // namespace

wire::task<reply> run_notify(connection& c, command& cmd) {
    cmd.args.space();
    if (cmd.args.take_word("NONE")) {
        cmd.args.end();
        if (cmd.args.failed()) co_return bad_arguments(cmd);
        auto done = co_await notify_none(c);
        co_return done;
    }
    if (!cmd.args.take_word("SET")) cmd.args.fail("Expected SET or NONE");
    auto request = parse_notify(cmd.args, c.utf8());
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (request.unsupported)
        co_return no("An event is not supported", "BADEVENT (" + std::string(notify_events_text) + ")");

    // RFC 5465 section 3.1: what has gathered is told now, as by NOOP; by the rules of before.
    c.notify.reset();
    co_await c.tell_changes(telling::everything, true);
    if (c.over) co_return ok("");
    const bool others = !request.groups.empty();
    co_await c.watch_account(others);   // first listen, then look: nothing between the two is missed
    mailbox_survey survey;
    if (others) {
        survey_mailboxes question;
        auto answer = co_await c.ask(std::move(question));
        if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
        survey = std::get<mailbox_survey>(std::move(answer));
    }
    if (survey.size() > notify_mailboxes_max) {
        co_await c.watch_account(false);
        co_return no("There are too many mailboxes to watch", "NOTIFICATIONOVERFLOW");
    }
    const bool with_status = request.status;
    c.notify = std::make_unique<notification>(std::move(request), std::move(survey));
    co_await c.tell_metadata();   // begins to watch annotations, when they are asked for
    if (with_status) co_await tell_statuses(c);
    co_return ok("NOTIFY completed");
}

}  // namespace pp::imap

// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 sections 6.3.4 to 6.3.8; RFC 6154 section 3 for USE).
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/list_name.hpp"
#include "proto/imap/grammar/response.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

constexpr special_use all_uses[] = {special_use::all,  special_use::archive, special_use::drafts, special_use::flagged,
                                    special_use::junk, special_use::sent,    special_use::trash};

struct create_request {
    create_mailbox question;
    bool use_refused = false;   // unknown, or more than one: RFC 6154 section 3, USEATTR
};

// RFC 9051 section 6.3.6: \Subscribed is told of a mailbox that is subscribed under its new name.
wire::task<> tell_new_name(connection& c, std::string name, std::string written) {
    if (!c.rev2 || written.empty()) co_return;
    list_mailboxes question;
    const auto answer = co_await c.ask(std::move(question));
    const auto* all = std::get_if<std::vector<mailbox_entry>>(&answer);
    const bool subscribed = all != nullptr && std::any_of(all->begin(), all->end(), [&](const mailbox_entry& one) {
                                return one.subscribed && one.name == name;
                            });
    tell_normal_form(c, name, written, subscribed ? "\\Subscribed" : "");
}

create_request parse_create(parser& args, bool utf8) {
    create_request request;
    args.space();
    request.question.name = args.mailbox(utf8);
    if (args.take(' ')) {
        args.expect('(');
        if (!args.take_word("USE")) args.fail("Unknown CREATE parameter");
        args.space();
        args.expect('(');
        if (!args.take(')')) {
            do {
                args.expect('\\');
                const auto name = "\\" + args.atom();
                auto use = special_use::none;
                for (const auto one : all_uses)
                    if (equal_case(use_text(one), name)) use = one;
                request.use_refused |= use == special_use::none || request.question.use != special_use::none;
                request.question.use = use;
            } while (args.take(' '));
            args.expect(')');
        }
        args.expect(')');
    }
    args.end();
    return request;
}

wire::task<reply> subscribe(connection& c, command& cmd, bool on) {
    subscribe_mailbox question;
    question.subscribed = on;
    cmd.args.space();
    question.name = cmd.args.mailbox(c.utf8());
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    const auto name = question.name;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    c.own_change(name);
    co_return ok(on ? "SUBSCRIBE completed" : "UNSUBSCRIBE completed");
}

}  // namespace

void tell_normal_form(connection& c, std::string_view name, std::string_view written, std::string_view attribute) {
    if (!c.rev2 || written.empty()) return;
    c.untagged("LIST (" + std::string(attribute) + ") \"/\" " + mailbox_text(name, true) +
               old_name_item(written, true));
}

wire::task<reply> run_create(connection& c, command& cmd) {
    auto request = parse_create(cmd.args, c.utf8());
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (request.use_refused) co_return no("This special use is not supported", "USEATTR");
    if (request.question.name == "INBOX") co_return no("INBOX is always there", "ALREADYEXISTS");
    auto question = std::move(request.question);
    const auto name = question.name;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    c.own_change(name);
    co_await tell_new_name(c, name, cmd.args.written_name());
    // RFC 8474 section 4.1
    co_return ok("CREATE completed", "MAILBOXID " + mailbox_id_text(std::get<std::uint64_t>(answer)));
}

wire::task<reply> run_delete(connection& c, command& cmd) {
    delete_mailbox question;
    cmd.args.space();
    question.name = cmd.args.mailbox(c.utf8());
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (question.name == "INBOX") co_return no("INBOX cannot be deleted", "CANNOT");
    const auto name = question.name;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    c.own_change(name);
    tell_normal_form(c, name, cmd.args.written_name(), "\\NonExistent");
    // Deleting one's own selected mailbox leaves it; other sessions learn of it by BYE.
    if (c.selected && c.selected->name == name) {
        co_await c.leave_mailbox();
        c.untagged("OK [CLOSED] The selected mailbox has been deleted");
    }
    co_return ok("DELETE completed");
}

wire::task<reply> run_rename(connection& c, command& cmd) {
    rename_mailbox question;
    cmd.args.space();
    question.from = cmd.args.mailbox(c.utf8());
    auto written = cmd.args.written_name();
    cmd.args.space();
    question.to = cmd.args.mailbox(c.utf8());
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    const auto from = question.from, to = question.to;
    if (written.empty() && !cmd.args.written_name().empty()) written = from;
    if (to == "INBOX") co_return no("INBOX is always there", "ALREADYEXISTS");
    if (to.starts_with(from + '/')) co_return no("A mailbox cannot be moved below itself", "CANNOT");
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    c.own_change(from);
    c.own_change(to);
    co_await tell_new_name(c, to, written);
    // RFC 9051 section 6.3.6: renaming INBOX moves its mails and leaves it (and its children) where it is.
    if (c.selected && from != "INBOX" && (c.selected->name == from || c.selected->name.starts_with(from + '/')))
        c.selected->name.replace(0, from.size(), to);
    if (c.selected && from == "INBOX") co_await c.tell_changes(telling::everything, false);
    co_return ok("RENAME completed");
}

wire::task<reply> run_subscribe(connection& c, command& cmd) { return subscribe(c, cmd, true); }
wire::task<reply> run_unsubscribe(connection& c, command& cmd) { return subscribe(c, cmd, false); }

}  // namespace pp::imap

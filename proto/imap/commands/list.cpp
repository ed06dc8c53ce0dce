// LIST (RFC 9051 section 6.3.9, with what RFC 5258, 5819, 6154, 3348, 8440 and 9590 add to RFC 3501) and LSUB (RFC 3501
// section 6.3.9). The daemon names all mailboxes; matching, parents and children are found here.
#include "proto/imap/grammar/access_rights.hpp"
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/mailbox_pattern.hpp"
#include "proto/imap/grammar/metadata_items.hpp"
#include "proto/imap/grammar/response.hpp"
#include "proto/imap/grammar/status_items.hpp"

#include <algorithm>
#include <map>

namespace pp::imap {

namespace {

struct list_request {
    // any option or several patterns: \NonExistent is understood
    bool extended = false;
    bool only_subscribed = false, only_special_use = false, recursive = false;
    bool return_subscribed = false;
    std::vector<status_item> status;
    bool return_rights = false;                              // RFC 8440
    std::vector<std::string> metadata;                       // RFC 9590: entries to tell of each
    std::vector<mailbox_pattern> patterns;
    bool empty_pattern = false;                              // asks for the delimiter only

    bool selects() const { return only_subscribed || only_special_use; }
    bool selected(const mailbox_entry& entry) const {
        return (!only_subscribed || entry.subscribed) && (!only_special_use || entry.use != special_use::none);
    }
    bool matches(std::string_view name) const {
        return std::any_of(patterns.begin(), patterns.end(), [name](const auto& p) { return p.matches(name); });
    }
};

// RFC 9051 section 6.3.9.1
void selection_options(parser& args, list_request& request) {
    request.extended = true;
    if (args.take(')')) return;
    do {
        const auto option = args.keyword();
        if (option == "SUBSCRIBED") request.only_subscribed = true;
        else if (option == "SPECIAL-USE") request.only_special_use = true;
        else if (option == "RECURSIVEMATCH") request.recursive = true;
        else if (option != "REMOTE") args.fail("Unknown selection option");   // REMOTE: all mailboxes are ours
    } while (args.take(' '));
    args.expect(')');
    if (request.recursive && !request.selects()) args.fail("RECURSIVEMATCH needs another selection option");
}

// RFC 9051 section 6.3.9.2, RFC 5819 section 2
void return_options(parser& args, list_request& request) {
    request.extended = true;
    args.expect('(');
    if (args.take(')')) return;
    do {
        const auto option = args.keyword();
        if (option == "SUBSCRIBED") {
            request.return_subscribed = true;
        } else if (option == "STATUS") {
            args.space();
            request.status = parse_status_items(args);
        } else if (option == "MYRIGHTS") {
            request.return_rights = true;
        } else if (option == "METADATA") {
            args.space();
            request.metadata = metadata_names(args);
        } else if (option != "CHILDREN" && option != "SPECIAL-USE") {   // both are always told
            args.fail("Unknown return option");
        }
    } while (args.take(' '));
    args.expect(')');
}

list_request parse_list(parser& args, bool utf8, bool lsub) {
    list_request request;
    args.space();
    if (!lsub && args.take('(')) {
        selection_options(args, request);
        args.space();
    }
    const auto reference = args.list_pattern(utf8);
    args.space();
    const bool several = !lsub && args.take('(');
    request.extended |= several;
    do {
        const auto pattern = args.list_pattern(utf8);
        if (reference.size() + pattern.size() > mailbox_name_bytes_max) args.fail("A mailbox pattern is too long");
        if (request.patterns.size() >= list_patterns_max) args.fail("Too many patterns");
        if (args.failed()) break;
        request.empty_pattern = pattern.empty() && !request.extended;
        request.patterns.emplace_back(reference + pattern);
    } while (several && args.take(' '));
    if (several) args.expect(')');
    if (!lsub && args.take(' ')) {
        if (!args.take_word("RETURN")) args.fail("Expected RETURN");
        args.space();
        return_options(args, request);
    }
    args.end();
    return request;
}

struct node {
    mailbox_entry entry;
    bool has_children = false;          // that exist, or lead to some
    bool child_selected = false;        // a descendant meets the selection
    bool child_untold = false;          // and one of these matches no pattern
};

// All names with the parents they imply, INBOX first.
std::vector<node> tree_of(std::vector<mailbox_entry> entries, const list_request& request) {
    std::map<std::string, node, std::less<>> nodes;
    for (auto& entry : entries) {
        auto& at = nodes[entry.name];
        at.entry = std::move(entry);
    }
    std::vector<std::string> names;
    for (const auto& [name, at] : nodes) names.push_back(name);
    for (const auto& name : names) {
        const bool exists = nodes[name].entry.exists, chosen = request.selected(nodes[name].entry);
        const bool untold = chosen && request.recursive && !request.matches(name);
        for (auto slash = name.rfind('/'); slash != name.npos && slash > 0; slash = name.rfind('/', slash - 1)) {
            const auto parent = name.substr(0, slash);
            auto [at, is_new] = nodes.try_emplace(parent);
            if (is_new) {
                at->second.entry.name = parent;
                at->second.entry.exists = false;
            }
            at->second.has_children |= exists;
            at->second.child_selected |= chosen;
            at->second.child_untold |= untold;
        }
    }
    std::vector<node> out;
    for (auto& [name, at] : nodes)
        if (name == "INBOX") out.insert(out.begin(), std::move(at));
        else out.push_back(std::move(at));
    return out;
}

std::string list_line(const connection& c, const node& at, const list_request& request, bool child_info) {
    std::string line = "LIST (";
    if (!at.entry.exists) line += request.extended || c.rev2 ? "\\NonExistent " : "\\Noselect ";
    line += at.has_children ? "\\HasChildren" : "\\HasNoChildren";
    if (at.entry.subscribed && (request.only_subscribed || request.return_subscribed)) line += " \\Subscribed";
    if (at.entry.use != special_use::none) line += ' ' + use_text(at.entry.use);
    line += ") \"/\" " + mailbox_text(at.entry.name, c.utf8());
    if (child_info) {   // RFC 9051 section 6.3.9.6, CHILDINFO
        line += " (\"CHILDINFO\" (";
        if (request.only_subscribed) line += "\"SUBSCRIBED\"";
        if (request.only_special_use) line += request.only_subscribed ? " \"SPECIAL-USE\"" : "\"SPECIAL-USE\"";
        line += "))";
    }
    return line;
}

// What RETURN asks for beside the LIST response; a mailbox that cannot be asked just has no such response (RFC 5819
// section 2, RFC 8440 section 3).
wire::task<> tell_more(connection& c, const std::string& name, const list_request& request) {
    if (request.return_rights)
        c.untagged("MYRIGHTS " + mailbox_text(name, c.utf8()) + ' ' + std::string(rights_of(name)));
    if (!request.status.empty()) {
        get_status question;
        question.name = name;
        question.with_deleted_bytes = std::find(request.status.begin(), request.status.end(),
                                                status_item::deleted_storage) != request.status.end();
        const auto status = co_await c.ask(std::move(question));
        if (const auto* known = std::get_if<mailbox_status>(&status))
            c.untagged(status_line(c, name, request.status, *known));
    }
    if (!request.metadata.empty()) {
        get_metadata question;
        question.mailbox = name;
        const auto answer = co_await c.ask(std::move(question));
        const auto* entries = std::get_if<std::vector<metadata_entry>>(&answer);
        if (entries == nullptr) co_return;
        std::string line = "METADATA " + mailbox_text(name, c.utf8()) + " (";
        for (const auto& wanted : request.metadata) {
            metadata_entry told{wanted, std::nullopt};
            for (const auto& entry : *entries)
                if (entry.name == wanted) told.value = entry.value;
            if (line.back() != '(') line += ' ';
            line += metadata_pair(told);
        }
        c.untagged(line + ')');
    }
}

}  // namespace

wire::task<reply> run_list(connection& c, command& cmd) {
    const auto request = parse_list(cmd.args, c.utf8(), false);
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (request.empty_pattern) {
        c.untagged("LIST (\\Noselect) \"/\" \"\"");
        co_return ok("LIST completed");
    }
    if (asks_modseq(request.status)) c.enable_condstore();   // RFC 7162 section 3.1
    list_mailboxes question;
    auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    const auto nodes = tree_of(std::get<std::vector<mailbox_entry>>(std::move(answer)), request);
    for (const auto& at : nodes) {
        if (c.over) break;
        const bool chosen = request.selected(at.entry);
        // RFC 9051 section 6.3.9.6: not for what the lines of the children say themselves.
        const bool child_info = request.recursive && (chosen ? at.child_selected : at.child_untold);
        // A name that is neither there nor above one that is shows up only where subscriptions are asked for.
        if (!at.entry.exists && !at.has_children && !request.only_subscribed) continue;
        if (!(chosen || child_info) || !request.matches(at.entry.name)) continue;
        c.untagged(list_line(c, at, request, child_info));
        if (at.entry.exists && chosen) co_await tell_more(c, at.entry.name, request);
        co_await c.drained();
    }
    co_return ok("LIST completed");
}

wire::task<reply> run_lsub(connection& c, command& cmd) {
    auto request = parse_list(cmd.args, c.utf8(), true);
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (request.empty_pattern) {
        c.untagged("LSUB (\\Noselect) \"/\" \"\"");
        co_return ok("LSUB completed");
    }
    request.only_subscribed = true;
    list_mailboxes question;
    auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    const auto nodes = tree_of(std::get<std::vector<mailbox_entry>>(std::move(answer)), request);
    for (const auto& at : nodes) {
        // RFC 3501 section 6.3.9: with "%" an unsubscribed parent of a subscribed mailbox is shown as \Noselect.
        const bool parent_only = !at.entry.subscribed && at.child_selected && cmd.text.find('%') != cmd.text.npos;
        if (!(at.entry.subscribed || parent_only) || !request.matches(at.entry.name)) continue;
        c.untagged(std::string("LSUB (") + (parent_only ? "\\Noselect" : "") + ") \"/\" " +
                   mailbox_text(at.entry.name, c.utf8()));
        co_await c.drained();
    }
    co_return ok("LSUB completed");
}

}  // namespace pp::imap

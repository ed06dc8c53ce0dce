// LIST (RFC 9051 section 6.3.9, with what RFC 5258, 5819, 6154, 3348, 8440 and 9590 add to RFC 3501) and LSUB (RFC 3501
// section 6.3.9). The daemon names all mailboxes; matching, parents and children are found here.
#include "proto/imap/grammar/access_rights.hpp"
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/list_tree.hpp"
#include "proto/imap/grammar/mailbox_pattern.hpp"
#include "proto/imap/grammar/metadata_items.hpp"
#include "proto/imap/grammar/response.hpp"
#include "proto/imap/grammar/status_items.hpp"

#include <algorithm>

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
    // What matches() costs at most.
    std::size_t work_bytes(std::string_view name) const {
        std::size_t words = 0;
        for (const auto& p : patterns) words += p.words();
        return words * sizeof(std::uint64_t) * (name.size() + 1);
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
        auto name = reference + pattern;
        capital_inbox(name);
        if (pattern.empty()) request.empty_pattern = true;
        else request.patterns.emplace_back(name);
    } while (several && args.take(' '));
    if (several) args.expect(')');
    if (!lsub && args.take(' ')) {
        if (!args.take_word("RETURN")) args.fail("Expected RETURN");
        args.space();
        return_options(args, request);
    }
    args.end();
    // RFC 9051 section 6.3.9: in the extended syntax an empty pattern is ignored.
    request.empty_pattern &= !request.extended;
    return request;
}

// What LIST and LSUB go through; parents know what stands below them.
wire::task<outcome<list_tree>> mailbox_tree(connection& c, const list_request& request) {
    list_mailboxes question;
    auto answer = co_await c.ask(std::move(question));
    if (auto* why = std::get_if<refusal>(&answer)) co_return std::move(*why);
    auto entries = std::get<std::vector<mailbox_entry>>(std::move(answer));
    // What is only subscribed, and parents of nothing else, shows up only where subscriptions are asked for.
    if (!request.only_subscribed) std::erase_if(entries, [](const auto& one) { return !one.exists; });
    list_tree tree(std::move(entries));
    for (auto i = tree.size(); i > 0; --i) {
        const auto& entry = tree.entry(i - 1);
        if (c.is_tired(request.recursive ? request.work_bytes(entry.name) : entry.name.size()))
            co_await c.let_others_run();
        std::uint8_t facts = entry.exists ? list_tree::exists : 0;
        if (request.selected(entry)) facts |= list_tree::chosen;
        if ((facts & list_tree::chosen) && request.recursive && !request.matches(entry.name))
            facts |= list_tree::untold;
        tree.tell_parents(i - 1, facts);
    }
    co_return tree;
}

std::string list_line(const connection& c, const list_tree::node& at, const list_request& request, bool child_info) {
    std::string line = "LIST (";
    if (!at.entry.exists) line += request.extended || c.rev2 ? "\\NonExistent " : "\\Noselect ";
    line += at.below & list_tree::exists ? "\\HasChildren" : "\\HasNoChildren";
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
    auto listed = co_await mailbox_tree(c, request);
    if (const auto* why = std::get_if<refusal>(&listed)) co_return c.refused(*why);
    auto& tree = std::get<list_tree>(listed);
    while (const auto next = tree.next()) {
        const auto& at = *next;
        if (c.over) break;
        if (c.is_tired(request.work_bytes(at.entry.name))) co_await c.let_others_run();
        const bool chosen = request.selected(at.entry);
        // RFC 9051 section 6.3.9.6: not for what the lines of the children say themselves.
        const bool child_info = request.recursive && (at.below & (chosen ? list_tree::chosen : list_tree::untold));
        // A name that is neither there nor above one that is shows up only where subscriptions are asked for.
        if (!at.entry.exists && !(at.below & list_tree::exists) && !request.only_subscribed) continue;
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
    auto listed = co_await mailbox_tree(c, request);
    if (const auto* why = std::get_if<refusal>(&listed)) co_return c.refused(*why);
    auto& tree = std::get<list_tree>(listed);
    while (const auto next = tree.next()) {
        const auto& at = *next;
        if (c.over) break;
        if (c.is_tired(request.work_bytes(at.entry.name))) co_await c.let_others_run();
        // RFC 3501 section 6.3.9: with "%" an unsubscribed parent of a subscribed mailbox is shown as \Noselect.
        const bool parent_only =
            !at.entry.subscribed && (at.below & list_tree::chosen) && cmd.text.find('%') != cmd.text.npos;
        if (!(at.entry.subscribed || parent_only) || !request.matches(at.entry.name)) continue;
        c.untagged(std::string("LSUB (") + (parent_only ? "\\Noselect" : "") + ") \"/\" " +
                   mailbox_text(at.entry.name, c.utf8()));
        co_await c.drained();
    }
    co_return ok("LSUB completed");
}

}  // namespace pp::imap

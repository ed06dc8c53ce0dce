// GETMETADATA and SETMETADATA (RFC 5464 sections 4.2 and 4.3): annotations of mailboxes and of the account.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/metadata_items.hpp"
#include "proto/imap/grammar/response.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

// "" is the account.
std::string metadata_mailbox(parser& args, bool utf8) {
    if (args.rest().starts_with("\"\"")) {
        args.take('"');
        args.take('"');
        return {};
    }
    return args.mailbox(utf8);
}

enum class entry_depth : std::uint8_t { itself, children, all };

struct get_request {
    std::string mailbox;
    std::optional<std::uint64_t> bytes_max;
    entry_depth depth = entry_depth::itself;
    std::vector<std::string> names;

    bool matches(std::string_view entry) const {
        return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
            if (entry == name) return true;
            if (depth == entry_depth::itself || entry.size() <= name.size() || !entry.starts_with(name) ||
                entry[name.size()] != '/')
                return false;
            return depth == entry_depth::all || entry.find('/', name.size() + 1) == entry.npos;
        });
    }
};

// getmetadata-options
void parse_options(parser& args, get_request& request) {
    args.expect('(');
    do {
        const auto option = args.keyword();
        args.space();
        if (option == "MAXSIZE") {
            request.bytes_max = args.number();
        } else if (option == "DEPTH") {
            const auto depth = args.keyword();
            if (depth == "0") request.depth = entry_depth::itself;
            else if (depth == "1") request.depth = entry_depth::children;
            else if (depth == "INFINITY") request.depth = entry_depth::all;
            else args.fail("DEPTH is 0, 1 or infinity");
        } else {
            args.fail("Unknown GETMETADATA option");
        }
    } while (args.take(' '));
    args.expect(')');
}

get_request parse_get(parser& args, bool utf8) {
    get_request request;
    args.space();
    bool options = false;
    if (args.peek() == '(') {
        parse_options(args, request);
        args.space();
        options = true;
    }
    request.mailbox = metadata_mailbox(args, utf8);
    args.space();
    // The grammar has the options before the mailbox, the examples of section 4.2 behind it: clients do both.
    const auto rest = upper(args.rest().substr(0, 9));
    if (!options && (rest.starts_with("(DEPTH ") || rest.starts_with("(MAXSIZE "))) {
        parse_options(args, request);
        args.space();
    }
    request.names = metadata_names(args);
    args.end();
    return request;
}

}  // namespace

wire::task<reply> run_getmetadata(connection& c, command& cmd) {
    const auto request = parse_get(cmd.args, c.utf8());
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    get_metadata question;
    question.mailbox = request.mailbox;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    const auto name = request.mailbox.empty() ? std::string("\"\"") : mailbox_text(request.mailbox, c.utf8());
    auto entries = std::get<std::vector<metadata_entry>>(answer);
    if (request.depth == entry_depth::itself)   // what was asked for by name and is not there is told to be NIL
        for (const auto& asked : request.names)
            if (std::none_of(entries.begin(), entries.end(), [&](const auto& e) { return e.name == asked; }))
                entries.push_back({asked, std::nullopt});
    std::size_t longest = 0;   // of those that were left out
    bool open = false;
    for (const auto& entry : entries) {
        if (!request.matches(entry.name)) continue;
        if (request.bytes_max && entry.value && entry.value->size() > *request.bytes_max) {
            longest = std::max(longest, entry.value->size());
            continue;
        }
        c.send(open ? std::string(" ") : "* METADATA " + name + " (");
        c.send(metadata_pair(entry));
        open = true;
        co_await c.drained();
        if (c.over) co_return ok("");
    }
    if (open) c.send(")\r\n");
    if (longest > 0) co_return ok("GETMETADATA completed", "METADATA LONGENTRIES " + std::to_string(longest));
    co_return ok("GETMETADATA completed");
}

wire::task<reply> run_setmetadata(connection& c, command& cmd) {
    set_metadata question;
    auto& args = cmd.args;
    args.space();
    question.mailbox = metadata_mailbox(args, c.utf8());
    args.space();
    args.expect('(');
    std::size_t longest = 0;
    bool read_only = false;
    do {
        if (question.entries.size() >= metadata_entries_asked_max) args.fail("Too many entries");
        metadata_entry entry;
        entry.name = metadata_name(args);
        args.space();
        entry.value = args.nstring8();
        if (entry.value) longest = std::max(longest, entry.value->size());
        // RFC 5464 section 6.2.2: how to reach an administrator; there is none. RFC 6154 section 4: told, not changed.
        read_only |= entry.name == "/shared/admin" || entry.name == "/private/specialuse";
        if (entry.name == "/private" || entry.name == "/shared") args.fail("An entry name is missing");
        question.entries.push_back(std::move(entry));
    } while (args.take(' '));
    args.expect(')');
    args.end();
    if (args.failed()) co_return bad_arguments(cmd);
    if (read_only) co_return no("This entry cannot be changed", "NOPERM");
    if (longest > metadata_value_bytes_max)
        co_return no("The value is too large", "METADATA MAXSIZE " + std::to_string(metadata_value_bytes_max));
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    co_return ok("SETMETADATA completed");
}

}  // namespace pp::imap

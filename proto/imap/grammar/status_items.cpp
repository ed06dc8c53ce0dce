#include "proto/imap/grammar/status_items.hpp"

#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/response.hpp"

#include <algorithm>
#include <iterator>

namespace pp::imap {

namespace {
struct named_item {
    std::string_view name;
    status_item item;
};
constexpr named_item names[] = {
    {"MESSAGES", status_item::messages},     {"UIDNEXT", status_item::uid_next},
    {"UIDVALIDITY", status_item::uid_validity}, {"UNSEEN", status_item::unseen},
    {"DELETED", status_item::deleted},       {"SIZE", status_item::size},
    {"RECENT", status_item::recent},         {"HIGHESTMODSEQ", status_item::highest_modseq},
    {"APPENDLIMIT", status_item::append_limit},
    {"MAILBOXID", status_item::mailbox_id},  {"DELETED-STORAGE", status_item::deleted_storage},
};

std::string value_of(const connection& c, status_item item, const mailbox_status& status) {
    switch (item) {
    case status_item::messages: return std::to_string(status.messages);
    case status_item::uid_next: return std::to_string(status.uid_next);
    case status_item::uid_validity: return std::to_string(status.uid_validity);
    case status_item::unseen: return std::to_string(status.unseen);
    case status_item::deleted: return std::to_string(status.deleted);
    case status_item::size: return std::to_string(status.size_bytes);
    case status_item::recent: return std::to_string(status.recent);
    case status_item::highest_modseq: return std::to_string(status.highest_modseq);
    case status_item::append_limit:
        return c.options.append_bytes_max ? std::to_string(c.options.append_bytes_max) : "NIL";
    case status_item::mailbox_id: return mailbox_id_text(status.mailbox);
    case status_item::deleted_storage: return std::to_string(status.deleted_bytes);
    }
    return "0";
}
}  // namespace

std::vector<status_item> parse_status_items(parser& args) {
    std::vector<status_item> items;
    args.expect('(');
    do {
        const auto word = args.keyword();
        const auto at = std::find_if(std::begin(names), std::end(names), [&](const auto& n) { return n.name == word; });
        if (at == std::end(names))
            args.fail("Unknown status item");
        else if (std::find(items.begin(), items.end(), at->item) == items.end())
            items.push_back(at->item);
    } while (args.take(' '));
    args.expect(')');
    return items;
}

bool asks_modseq(const std::vector<status_item>& items) {
    return std::find(items.begin(), items.end(), status_item::highest_modseq) != items.end();
}

std::string status_line(const connection& c, std::string_view name, const std::vector<status_item>& items,
                        const mailbox_status& status) {
    std::string line = "STATUS " + mailbox_text(name, c.utf8()) + " (";
    for (const auto& named : names) {
        if (std::find(items.begin(), items.end(), named.item) == items.end()) continue;
        if (line.back() != '(') line += ' ';
        line += named.name;
        line += ' ' + value_of(c, named.item, status);
    }
    return line + ')';
}

}  // namespace pp::imap

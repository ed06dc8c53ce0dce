#include "proto/imap/grammar/mailbox_filter.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace pp::imap {

namespace {

using kind = mailbox_filter::kind;
struct filter_word {
    std::string_view word;
    kind what;
};
constexpr filter_word words[] = {
    {"SELECTED", kind::selected},     {"SELECTED-DELAYED", kind::selected_delayed}, {"INBOXES", kind::inboxes},
    {"PERSONAL", kind::personal},     {"SUBSCRIBED", kind::subscribed},             {"SUBTREE", kind::subtree},
    {"SUBTREE-ONE", kind::subtree_one}, {"MAILBOXES", kind::mailboxes},
};

// The part of `name` below `parent`; empty when it is not there.
std::string_view below(std::string_view name, std::string_view parent) {
    if (!name.starts_with(parent) || name.size() <= parent.size() || name[parent.size()] != '/') return {};
    return name.substr(parent.size() + 1);
}

}  // namespace

bool mailbox_filter::covers(const mailbox_entry& mailbox) const {
    if (!mailbox.exists) return false;
    const auto any = [&](auto fits) { return std::any_of(names.begin(), names.end(), fits); };
    switch (what) {
    case kind::selected:
    case kind::selected_delayed: return false;
    // RFC 5465 section 6.3: where new mail is delivered. Mail of strangers goes to Requests.
    case kind::inboxes: return mailbox.name == "INBOX" || mailbox.name == "Requests";
    case kind::personal: return true;
    case kind::subscribed: return mailbox.subscribed;
    case kind::mailboxes: return any([&](const auto& name) { return name == mailbox.name; });
    case kind::subtree:
        return any([&](const auto& name) { return name == mailbox.name || !below(mailbox.name, name).empty(); });
    case kind::subtree_one:
        return any([&](const auto& name) {
            const auto rest = below(mailbox.name, name);
            return name == mailbox.name || (!rest.empty() && rest.find('/') == rest.npos);
        });
    }
    return false;
}

mailbox_filter parse_mailbox_filter(parser& args, bool utf8) {
    mailbox_filter filter;
    const auto word = args.keyword();
    const auto known =
        std::find_if(std::begin(words), std::end(words), [&](const auto& one) { return one.word == word; });
    if (known == std::end(words)) {
        args.fail("Unknown mailbox filter");
        return filter;
    }
    filter.what = known->what;
    if (filter.what < kind::subtree) return filter;
    args.space();
    if (!args.take('(')) {   // one-or-more-mailbox
        filter.names.push_back(args.mailbox(utf8));
        return filter;
    }
    do filter.names.push_back(args.mailbox(utf8));
    while (!args.failed() && args.take(' '));
    args.expect(')');
    return filter;
}

}  // namespace pp::imap

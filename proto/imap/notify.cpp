// NOTIFY SET as it is written (RFC 5465 sections 6 and 8), and which mailboxes its groups mean.
#include "proto/imap/notify.hpp"

#include "proto/imap/grammar/response.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

struct named_event {
    std::string_view name;
    unsigned event;
};
constexpr named_event supported[] = {
    {"MESSAGENEW", notify_message_new},
    {"MESSAGEEXPUNGE", notify_message_expunge},
    {"FLAGCHANGE", notify_flag_change},
    {"MAILBOXNAME", notify_mailbox_name},
    {"SUBSCRIPTIONCHANGE", notify_subscription_change},
    {"MAILBOXMETADATACHANGE", notify_mailbox_metadata},
    {"SERVERMETADATACHANGE", notify_server_metadata},
};

class notify_reader {
public:
    notify_reader(parser& args, bool utf8, notify_request& into) : args_(args), utf8_(utf8), into_(into) {}

    void run() {
        args_.space();
        if (args_.take_word("STATUS")) {
            into_.status = true;
            args_.space();
        }
        do group();
        while (args_.take(' '));
        args_.end();
    }

private:
    void names(notify_group& into) {
        args_.space();
        const bool several = args_.take('(');
        do {
            if (into.names.size() >= notify_names_max) args_.fail("Too many mailboxes");
            into.names.push_back(args_.mailbox(utf8_));
        } while (several && args_.take(' '));
        if (several) args_.expect(')');
    }

    void group() {
        args_.expect('(');
        if (into_.groups.size() >= notify_groups_max) args_.fail("Too many event groups");
        const auto filter = args_.keyword();
        notify_group group;
        bool of_selected = false;
        if (filter == "SELECTED" || filter == "SELECTED-DELAYED") {
            of_selected = true;
            if (into_.selected_given) args_.fail("The selected mailbox is named twice");
            into_.selected_given = true;
            into_.delayed = filter == "SELECTED-DELAYED";
        } else if (filter == "PERSONAL" || filter == "INBOXES") {
            // RFC 5465 section 6.3: where mail is delivered to is up to rules, so this is "personal".
            group.which = notify_group::filter::personal;
        } else if (filter == "SUBSCRIBED") {
            group.which = notify_group::filter::subscribed;
        } else if (filter == "SUBTREE" || filter == "MAILBOXES") {
            group.which = filter == "SUBTREE" ? notify_group::filter::subtree : notify_group::filter::mailboxes;
            names(group);
        } else {
            args_.fail("Unknown mailbox filter");
        }
        args_.space();
        group.events = events(of_selected);
        args_.expect(')');
        if (args_.failed()) return;
        if (of_selected) into_.selected_events = group.events;
        else if (group.events != 0) into_.groups.push_back(std::move(group));
    }

    // "(" event *(SP event) ")", or NONE. The examples of the RFC leave the parentheses out.
    unsigned events(bool of_selected) {
        if (args_.take_word("NONE")) return 0;
        unsigned found = 0;
        const bool enclosed = args_.take('(');
        do found |= event(of_selected);
        while (args_.take(' '));
        if (enclosed) args_.expect(')');
        // RFC 5465 section 5: both or none, and both with FlagChange.
        const auto both = notify_message_new | notify_message_expunge;
        if ((found & notify_messages) != 0 && (found & both) != both && !into_.unsupported)
            args_.fail("MessageNew and MessageExpunge belong together");
        if (of_selected && (found & ~notify_messages) != 0)
            args_.fail("Only events of messages are for the selected mailbox");
        return found;
    }

    unsigned event(bool of_selected) {
        const auto word = args_.keyword();
        const auto at =
            std::find_if(std::begin(supported), std::end(supported), [&](const auto& e) { return e.name == word; });
        if (at == std::end(supported)) {
            into_.unsupported = true;
            return 0;
        }
        if (at->event == notify_message_new && args_.rest().starts_with(" (")) {
            args_.space();
            if (!of_selected) args_.fail("Items to fetch are for the selected mailbox only");
            into_.fetch = parse_fetch_items(args_);
        }
        return at->event;
    }

    parser& args_;
    const bool utf8_;
    notify_request& into_;
};

}  // namespace

bool is_below(std::string_view name, std::string_view parent) {
    return name.size() > parent.size() && name.starts_with(parent) && name[parent.size()] == '/';
}

bool notify_group::matches(std::string_view name, bool subscribed) const {
    switch (which) {
    case filter::personal: return true;
    case filter::subscribed: return subscribed;
    case filter::subtree:
        return std::any_of(names.begin(), names.end(),
                           [&](const auto& one) { return name == one || is_below(name, one); });
    case filter::mailboxes: return std::find(names.begin(), names.end(), name) != names.end();
    }
    return false;
}

unsigned notify_request::events_of(const mailbox_entry& entry) const {
    unsigned events = 0;
    for (const auto& group : groups)
        if (group.matches(entry.name, entry.subscribed)) events |= group.events;
    return events;
}

unsigned notify_request::all_events() const {
    unsigned events = 0;
    for (const auto& group : groups) events |= group.events;
    return events;
}

bool notification::wants_metadata(std::string_view mailbox) const {
    if (mailbox.empty()) return (request.all_events() & notify_server_metadata) != 0;
    for (const auto& one : seen_)
        if (one.entry.name == mailbox) return (request.events_of(one.entry) & notify_mailbox_metadata) != 0;
    return false;
}

notify_request parse_notify(parser& args, bool utf8) {
    notify_request request;
    notify_reader(args, utf8, request).run();
    return request;
}

}  // namespace pp::imap

#include "proto/imap/notify.hpp"

#include "proto/imap/grammar/response.hpp"

#include <algorithm>
#include <map>

namespace pp::imap {

namespace {

bool is_below(std::string_view name, std::string_view parent) {
    return name.size() > parent.size() && name.starts_with(parent) && name[parent.size()] == '/';
}

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

notify_status notification::difference(const mailbox_status& before, const mailbox_status& now) {
    notify_status changed;
    const auto arrived = std::uint64_t(now.uid_next) - std::min(before.uid_next, now.uid_next);
    const auto expected = before.messages + arrived;
    const bool gone = expected > now.messages;
    changed.messages =
        arrived > 0 || gone || before.messages != now.messages || before.uid_validity != now.uid_validity;
    // Each new mail and each changed mail has a mod-sequence of its own, mails that went together share one. Removals
    // one after the other are taken for a change of flags too: the numbers told are true all the same.
    const auto steps = now.highest_modseq - std::min(before.highest_modseq, now.highest_modseq);
    changed.flags = steps > arrived + (gone ? 1 : 0);
    return changed;
}

bool notification::is_own(std::string_view name) const {
    return std::any_of(own_.begin(), own_.end(), [&](const std::string& own) {
        return name == own || is_below(name, own) || is_below(own, name);
    });
}

notify_news notification::update(mailbox_survey now, std::uint64_t selected) {
    std::map<std::uint64_t, const surveyed_mailbox*> before_by_id;
    std::map<std::string_view, const surveyed_mailbox*> before_by_name, now_by_name;
    std::map<std::uint64_t, std::string_view> now_ids;
    for (const auto& one : seen_) {
        if (one.entry.exists) before_by_id[one.entry.mailbox] = &one;
        before_by_name[one.entry.name] = &one;
    }
    for (const auto& one : now) {
        if (one.entry.exists) now_ids[one.entry.mailbox] = one.entry.name;
        now_by_name[one.entry.name] = &one;
    }

    notify_news news;
    const auto events_of = [&](std::string_view name) {
        mailbox_entry entry;
        entry.name = name;
        const auto at = now_by_name.find(name);
        entry.subscribed = at != now_by_name.end() && at->second->entry.subscribed;
        return request.events_of(entry);
    };
    const auto tell_name = [&](std::string_view name, std::string_view old_name = {}) {
        const bool asked =
            ((events_of(name) | (old_name.empty() ? 0 : events_of(old_name))) & notify_mailbox_name) != 0;
        if (!asked || is_own(name)) return;
        for (const auto& told : news.names)
            if (told.name == name) return;
        news.names.push_back({std::string(name), std::string(old_name)});
    };
    // RFC 5465 section 5.4: the direct parent is affected too.
    const auto tell_with_parent = [&](std::string_view name) {
        tell_name(name);
        if (const auto slash = name.rfind('/'); slash != name.npos) tell_name(name.substr(0, slash));
    };
    // Renamed only because its parent was: no event of its own.
    const auto moved_with_parent = [&](std::string_view from, std::string_view to) {
        for (auto a = from.rfind('/'), b = to.rfind('/');
             a != from.npos && b != to.npos && from.substr(a) == to.substr(b);
             a = a == 0 ? from.npos : from.rfind('/', a - 1), b = b == 0 ? to.npos : to.rfind('/', b - 1)) {
            const auto parent = before_by_name.find(from.substr(0, a));
            if (parent == before_by_name.end() || !parent->second->entry.exists) continue;
            const auto id = now_ids.find(parent->second->entry.mailbox);
            if (id != now_ids.end() && id->second == to.substr(0, b) && id->second != parent->first) return true;
        }
        return false;
    };

    for (std::size_t i = 0; i < now.size(); ++i) {
        const auto& entry = now[i].entry;
        const auto& status = now[i].status;
        const auto same_name = before_by_name.find(entry.name);
        const bool was_subscribed = same_name != before_by_name.end() && same_name->second->entry.subscribed;
        const auto known = entry.exists ? before_by_id.find(entry.mailbox) : before_by_id.end();
        if (entry.exists && known == before_by_id.end()) {
            tell_with_parent(entry.name);
        } else if (entry.exists && known->second->entry.name != entry.name) {
            if (!moved_with_parent(known->second->entry.name, entry.name))
                tell_name(entry.name, known->second->entry.name);
        }
        const auto events = request.events_of(entry);
        const bool listed =
            std::any_of(news.names.begin(), news.names.end(), [&](const auto& n) { return n.name == entry.name; });
        auto as_subscribed = entry;   // who watches subscribed mailboxes is told of the end of a subscription too
        as_subscribed.subscribed = true;
        if (entry.subscribed != was_subscribed && (request.events_of(as_subscribed) & notify_subscription_change) &&
            !listed && !is_own(entry.name) && (same_name != before_by_name.end() || !entry.exists))
            news.names.push_back({entry.name, {}});

        if (!entry.exists || entry.mailbox == selected || !(events & notify_messages)) continue;
        notify_status changed;
        if (known != before_by_id.end()) changed = difference(known->second->status, status);
        else changed.messages = status.messages > 0 || same_name != before_by_name.end();   // a new UIDVALIDITY
        changed.flags &= (events & notify_flag_change) != 0;
        changed.at = i;
        if (changed.messages || changed.flags) news.statuses.push_back(changed);
    }
    for (const auto& one : seen_) {
        const auto& entry = one.entry;
        const auto name = now_by_name.find(entry.name);
        const bool gone = entry.exists && !now_ids.contains(entry.mailbox);
        if (gone && (name == now_by_name.end() || !name->second->entry.exists)) tell_with_parent(entry.name);
        // A subscription of a name without mailbox that has ended.
        if (!entry.exists && entry.subscribed && name == now_by_name.end() && !is_own(entry.name)) {
            if (request.events_of(entry) & notify_subscription_change) news.names.push_back({entry.name, {}});
        }
    }
    own_.clear();
    seen_ = std::move(now);
    return news;
}

}  // namespace pp::imap

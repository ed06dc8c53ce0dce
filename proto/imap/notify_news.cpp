// What there is to tell between two surveys of all mailboxes (RFC 5465 sections 5.1 to 5.5). A mailbox is the same one
// as long as its number is the same, whatever its name.
#include "proto/imap/notify.hpp"

#include <algorithm>
#include <map>

namespace pp::imap {

namespace {

std::string_view name_above(std::string_view name) {   // empty: there is none
    const auto slash = name.rfind('/');
    return slash == name.npos ? std::string_view() : name.substr(0, slash);
}
std::string_view last_level(std::string_view name) { return name.substr(name.rfind('/') + 1); }

class survey_index {
public:
    explicit survey_index(const mailbox_survey& all) {
        for (const auto& one : all) {
            by_name_[one.entry.name] = &one;
            if (one.entry.exists) by_number_[one.entry.mailbox] = &one;
        }
    }
    // Null: there is none. A name may be that of a subscription alone.
    const surveyed_mailbox* named(std::string_view name) const {
        const auto at = by_name_.find(name);
        return at == by_name_.end() ? nullptr : at->second;
    }
    // The mailbox that `other` was or will be; null also when that one is no mailbox.
    const surveyed_mailbox* same_as(const mailbox_entry& other) const {
        const auto at = other.exists ? by_number_.find(other.mailbox) : by_number_.end();
        return at == by_number_.end() ? nullptr : at->second;
    }

private:
    std::map<std::string_view, const surveyed_mailbox*> by_name_;
    std::map<std::uint64_t, const surveyed_mailbox*> by_number_;
};

class comparison {
public:
    comparison(const notify_request& request, const std::vector<std::string>& own, const mailbox_survey& before,
               const mailbox_survey& now)
        : request_(request), own_(own), before_(before), now_(now) {}

    void look_at_name(const mailbox_entry& now);
    void look_at_subscription(const mailbox_entry& now);
    void look_at_mails(std::size_t at, const surveyed_mailbox& now);
    void look_for_end(const mailbox_entry& before);
    notify_news take() { return std::move(news_); }

private:
    bool is_own(std::string_view name) const {
        return std::any_of(own_.begin(), own_.end(), [&](const std::string& own) {
            return name == own || is_below(name, own) || is_below(own, name);
        });
    }
    bool is_told(std::string_view name) const {
        return std::any_of(news_.names.begin(), news_.names.end(), [&](const auto& one) { return one.name == name; });
    }
    unsigned events_of(std::string_view name) const {
        const auto* one = now_.named(name);
        mailbox_entry entry;
        entry.name = name;
        entry.subscribed = one && one->entry.subscribed;
        return request_.events_of(entry);
    }
    void tell_name(std::string_view name, std::string_view old_name = {});
    void tell_with_parent(std::string_view name);
    bool came_along(std::string_view from, std::string_view to) const;

    const notify_request& request_;
    const std::vector<std::string>& own_;   // what this client has changed itself
    const survey_index before_, now_;
    notify_news news_;
};

void comparison::tell_name(std::string_view name, std::string_view old_name) {
    const auto events = events_of(name) | (old_name.empty() ? 0 : events_of(old_name));
    if (!(events & notify_mailbox_name) || is_own(name) || is_told(name)) return;
    news_.names.push_back({std::string(name), std::string(old_name)});
}

// Section 5.4: the direct parent of what is created or deleted is affected, too.
void comparison::tell_with_parent(std::string_view name) {
    tell_name(name);
    if (const auto parent = name_above(name); !parent.empty()) tell_name(parent);
}

// Renamed only because a mailbox above it was (section 5.4: no event of its own)?
bool comparison::came_along(std::string_view from, std::string_view to) const {
    while (last_level(from) == last_level(to)) {
        from = name_above(from);
        to = name_above(to);
        if (from.empty() || to.empty()) return false;
        const auto* was = before_.named(from);
        const auto* is = was ? now_.same_as(was->entry) : nullptr;
        if (is && is->entry.name == to && from != to) return true;
    }
    return false;
}

void comparison::look_at_name(const mailbox_entry& now) {
    if (!now.exists) return;
    const auto* was = before_.same_as(now);
    if (!was) return tell_with_parent(now.name);
    const std::string_view from = was->entry.name;
    if (from != now.name && !came_along(from, now.name)) tell_name(now.name, from);
}

// Section 5.5. A mailbox under a name that was not there has been told as that.
void comparison::look_at_subscription(const mailbox_entry& now) {
    const auto* was = before_.named(now.name);
    if (now.subscribed == (was && was->entry.subscribed) || (!was && now.exists)) return;
    auto as_subscribed = now;   // who watches subscribed mailboxes is told of the end of a subscription, too
    as_subscribed.subscribed = true;
    if (!(request_.events_of(as_subscribed) & notify_subscription_change)) return;
    if (!is_told(now.name) && !is_own(now.name)) news_.names.push_back({now.name, {}});
}

// Sections 5.1 to 5.3.
void comparison::look_at_mails(std::size_t at, const surveyed_mailbox& now) {
    const auto events = request_.events_of(now.entry);
    if (!now.entry.exists || !(events & notify_messages)) return;
    notify_status changed;
    if (const auto* was = before_.same_as(now.entry)) changed = notification::difference(was->status, now.status);
    else changed.messages = now.status.messages > 0 || before_.named(now.entry.name);   // another UIDVALIDITY
    changed.flags &= (events & notify_flag_change) != 0;
    changed.at = at;
    if (changed.messages || changed.flags) news_.statuses.push_back(changed);
}

void comparison::look_for_end(const mailbox_entry& before) {
    const auto* now = now_.named(before.name);
    if (before.exists && !now_.same_as(before) && !(now && now->entry.exists)) tell_with_parent(before.name);
    // a subscription of a name without mailbox
    if (!before.exists && before.subscribed && !now && !is_own(before.name) &&
        (request_.events_of(before) & notify_subscription_change))
        news_.names.push_back({before.name, {}});
}

}  // namespace

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

notify_news notification::update(mailbox_survey now, std::uint64_t selected) {
    comparison both(request, own_, seen_, now);
    for (std::size_t i = 0; i < now.size(); ++i) {
        both.look_at_name(now[i].entry);
        both.look_at_subscription(now[i].entry);
        if (now[i].entry.mailbox != selected) both.look_at_mails(i, now[i]);
    }
    for (const auto& one : seen_) both.look_for_end(one.entry);
    auto news = both.take();
    own_.clear();
    seen_ = std::move(now);
    return news;
}

}  // namespace pp::imap

// What a client has asked to be told with NOTIFY SET (RFC 5465), and what there is to tell when the account has
// changed: pure comparison of two surveys of all mailboxes. connection_notify.cpp does the talking. No change is
// queued: between two surveys any number of changes of a mailbox are one notification, so that a slow client costs no
// memory. What is asked stands in notify.cpp, what is new in notify_news.cpp.
#pragma once

#include "proto/imap/events.hpp"
#include "proto/imap/fetch/fetch_items.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

// RFC 5465 section 5, as bits.
inline constexpr unsigned notify_message_new = 1, notify_message_expunge = 2, notify_flag_change = 4,
                          notify_mailbox_name = 8, notify_subscription_change = 16, notify_mailbox_metadata = 32,
                          notify_server_metadata = 64;
inline constexpr unsigned notify_messages = notify_message_new | notify_message_expunge | notify_flag_change;
// Of the BADEVENT response code: what can be asked for.
inline constexpr std::string_view notify_events_text =
    "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange";

struct notify_group {
    enum class filter : std::uint8_t { personal, subscribed, subtree, mailboxes } which = filter::personal;
    std::vector<std::string> names;   // of subtree and mailboxes
    unsigned events = 0;
    bool matches(std::string_view name, bool subscribed) const;
};

struct notify_request {
    bool status = false;        // STATUS responses now
    bool unsupported = false;   // an event that we do not know: NO [BADEVENT]
    bool selected_given = false;
    bool delayed = false;   // SELECTED-DELAYED: removals wait for a command that may tell them
    unsigned selected_events = 0;
    std::optional<fetch_request> fetch;   // of new mails in the selected mailbox
    std::vector<notify_group> groups;

    unsigned events_of(const mailbox_entry& entry) const;   // of a mailbox that is not selected
    unsigned all_events() const;                            // of any but the selected one
};

// Behind "SET": [SP "STATUS"] SP event-groups. Errors are the parser's.
notify_request parse_notify(parser& args, bool utf8);

// A LIST response is due: attributes are those of the survey.
struct notify_name {
    std::string name, old_name;   // old_name: renamed from it, else empty
    bool operator==(const notify_name&) const = default;
};
struct notify_status {
    std::size_t at = 0;                     // in the survey
    bool messages = false, flags = false;   // what of it has changed
    bool operator==(const notify_status&) const = default;
};
struct notify_news {
    std::vector<notify_name> names;
    std::vector<notify_status> statuses;
};

// "a/b/c" of "a/b" and of "a".
bool is_below(std::string_view name, std::string_view parent);

using mailbox_survey = std::vector<surveyed_mailbox>;

class notification {
public:
    notification(notify_request asked, mailbox_survey now) : request(std::move(asked)), seen_(std::move(now)) {}

    const notify_request request;

    // What is new in `now` since the last time; it is remembered. selected: the id of the selected mailbox, 0: none;
    // its mails are told by other means.
    notify_news update(mailbox_survey now, std::uint64_t selected);
    const mailbox_survey& seen() const { return seen_; }
    // Changes of annotations of this mailbox, or of the account when the name is empty (RFC 5465 sections 5.6, 5.7).
    bool wants_metadata(std::string_view mailbox) const;

    // RFC 5465 section 5: an event that this client has caused is not told to it. Holds for the next update, which
    // never comes to who watches the selected mailbox alone.
    void own_change(std::string name) {
        if (!request.groups.empty()) own_.push_back(std::move(name));
    }
    // What has happened to the mails of a mailbox between two looks at its numbers.
    static notify_status difference(const mailbox_status& before, const mailbox_status& now);

private:
    mailbox_survey seen_;
    std::vector<std::string> own_;
};

}  // namespace pp::imap

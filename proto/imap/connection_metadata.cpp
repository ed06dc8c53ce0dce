// Unsolicited METADATA responses (RFC 5464 section 4.4.2): names of entries another session has changed, without their
// values. To clients that have said ENABLE METADATA, or that have asked NOTIFY for it (RFC 5465 sections 5.6 and 5.7).
#include "proto/imap/connection.hpp"
#include "proto/imap/notify.hpp"
#include "proto/imap/grammar/response.hpp"

namespace pp::imap {

wire::task<> connection::tell_metadata() {
    const bool notified = notify && (notify->request.all_events() & (notify_mailbox_metadata | notify_server_metadata));
    if (!metadata_news && !notified) co_return;
    poll_metadata question;
    const auto changes = co_await ask(std::move(question));
    for (const auto& change : changes) {
        if (!metadata_news && !notify->wants_metadata(change.mailbox)) continue;
        std::string line = "METADATA " + (change.mailbox.empty() ? "\"\"" : mailbox_text(change.mailbox, utf8()));
        for (const auto& entry : change.entries) line += ' ' + entry;
        untagged(line);
        co_await drained();
        if (over) co_return;
    }
}

}  // namespace pp::imap

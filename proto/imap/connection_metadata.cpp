// Unsolicited METADATA responses (RFC 5464 section 4.4.2): names of entries another session has changed, without their
// values. Only to clients that have said ENABLE METADATA.
#include "proto/imap/connection.hpp"
#include "proto/imap/response.hpp"

namespace pp::imap {

wire::task<> connection::tell_metadata() {
    if (!metadata_news) co_return;
    poll_metadata question;
    const auto changes = co_await ask(std::move(question));
    for (const auto& change : changes) {
        std::string line = "METADATA " + (change.mailbox.empty() ? "\"\"" : mailbox_text(change.mailbox, utf8()));
        for (const auto& entry : change.entries) line += ' ' + entry;
        untagged(line);
        co_await drained();
        if (over) co_return;
    }
}

}  // namespace pp::imap

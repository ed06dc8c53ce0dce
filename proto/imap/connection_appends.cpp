// APPENDs under way at once (RFC 9051 section 5.5: commands that do not depend on each other may be run in parallel). A
// client that sends the next command without waiting gets the answers of its APPENDs in order, as soon as it has
// nothing more to read or another command comes: their commits meanwhile share two syncs instead of having two each.
#include "proto/imap/connection.hpp"
#include "proto/imap/limits.hpp"

namespace pp::imap {

// Not where news are told (a mailbox is selected, NOTIFY is on): those of an APPEND stand before its tagged OK.
bool connection::may_answer_later(std::uint64_t size_bytes) {
    return !selected && !notify && !input().empty() && size_bytes <= append_under_way_bytes_max &&
           appends_.size() < appends_under_way_max;
}

void connection::answer_later(std::string tag) { appends_.push_back(std::move(tag)); }

wire::task<> connection::settle_appends() {
    while (!appends_.empty() && !over) {
        command cmd;
        cmd.tag = std::move(appends_.front());
        appends_.pop_front();
        append_wait question;
        const auto answer = co_await ask(std::move(question));
        const auto* why = std::get_if<refusal>(&answer);
        finish(cmd, why ? refused(*why) : append_reply(std::get<appended>(answer)));
    }
}

}  // namespace pp::imap

// What a session with NOTIFY (RFC 5465) tells beside what every session tells: changes of other mailboxes, items of new
// mails, and all of it also between two commands.
#include "proto/imap/connection.hpp"
#include "proto/imap/fetch/fetch_writer.hpp"
#include "proto/imap/grammar/list_name.hpp"
#include "proto/imap/notify.hpp"
#include "proto/imap/grammar/status_items.hpp"
#include "proto/imap/uid_sets.hpp"

namespace pp::imap {

namespace {
// As FETCH: a mail's header block may be large, so few rows with headers are held.
constexpr std::size_t new_mails_per_read = 32;

// RFC 5465 sections 5.1 to 5.3.
std::vector<status_item> items_of(const notify_status& changed, const connection& c) {
    std::vector<status_item> items = {status_item::uid_validity};
    if (changed.messages) {
        items.push_back(status_item::messages);
        items.push_back(status_item::uid_next);
    }
    if (changed.flags) items.push_back(status_item::unseen);
    if (c.condstore) items.push_back(status_item::highest_modseq);
    return items;
}
}  // namespace

wire::task<> connection::tell_others() {
    survey_mailboxes question;
    auto answer = co_await ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) {
        if (why->bye) bye(why->text, why->code);
        co_return;   // the store is busy: the next survey shows it all
    }
    auto survey = std::get<mailbox_survey>(std::move(answer));
    if (survey.size() > notify_mailboxes_max) {
        overflow_notifications();
        co_await watch_account(false);
        co_return;
    }
    const auto news = notify->update(std::move(survey), selected ? selected->mailbox : 0);
    const auto& boxes = notify->seen();
    for (const auto& one : news.names) {
        untagged(list_name_line(boxes, one.name, one.old_name, utf8()));
        co_await drained();
    }
    for (const auto& one : news.statuses) {
        untagged(status_line(*this, boxes[one.at].entry.name, items_of(one, *this), boxes[one.at].status));
        co_await drained();
    }
}

wire::task<> connection::tell_items(const fetch_request& items, const std::vector<std::uint32_t>& added) {
    if (added.empty()) co_return;
    auto request = items;
    if (condstore) {   // RFC 7162 section 3.2.4
        fetch_item modseq;
        modseq.kind = fetch_kind::modseq;
        request.add(modseq);
    }
    fetch_writer writer(*this, request, true);
    mail::uid_set uids;
    for (const auto uid : added) uids.add(uid);
    uid_set_walk walk(uids);
    for (auto batch = walk.next(new_mails_per_read); !batch.empty(); batch = walk.next(new_mails_per_read)) {
        read_rows question;
        question.uids = std::move(batch);
        question.with_index = request.needs_index();
        question.with_header = request.needs_header();
        auto answer = co_await ask(std::move(question));
        auto* rows = std::get_if<std::vector<message_row>>(&answer);
        if (rows == nullptr) {
            if (const auto& why = std::get<refusal>(answer); why.bye) bye(why.text, why.code);
            co_return;   // EXISTS has been told: the client can fetch them itself
        }
        if (const auto later = drop_left_out(*rows)) walk.go_back_to(*later);
        for (const auto& row : *rows) {
            co_await writer.write(row, false);
            if (writer.stop()) co_return;
        }
    }
}

wire::task<> connection::tell_while_quiet() {
    set_deadline(now() + inactivity_max);
    while (!over && !leaving && notify && input().empty()) {
        // RFC 5465 section 6.1.2: SELECTED-DELAYED keeps numbers valid until a command that may change them.
        const auto how = notify->request.delayed ? telling::no_expunge : telling::everything;
        if (has_news()) {
            co_await tell_changes(how, true);
            co_await tell_metadata();
            co_await drained();
            continue;
        }
        listen_to_news(true);
        const auto why = co_await more_input();
        listen_to_news(false);
        if (why == wire::woken::ended) over = true;
        if (why == wire::woken::timeout) bye("Idle for too long");
        if (why == wire::woken::input) break;
        if (why == wire::woken::news) {
            co_await tell_changes(how, true);
            co_await tell_metadata();
            co_await drained();
        }
    }
}

wire::task<> connection::watch_account(bool on) {
    pp::imap::watch_account question;
    question.on = on;
    co_await ask(std::move(question));
}

void connection::own_change(const std::string& mailbox) {
    if (notify) notify->own_change(mailbox);
}

void connection::overflow_notifications() {
    untagged("OK [NOTIFICATIONOVERFLOW] Too many mailboxes to watch");
    notify = std::make_unique<notification>(notify_request(), mailbox_survey());
}

}  // namespace pp::imap

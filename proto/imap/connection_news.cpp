// How a session learns and tells what happened in its selected mailbox (RFC 9051 sections 5.2, 7.4.1, 7.5.1).
#include "proto/imap/connection.hpp"
#include "proto/imap/response.hpp"
#include "proto/imap/search_context.hpp"

namespace pp::imap {

wire::task<> connection::tell_changes(telling how, bool uid) {
    if (!selected || how == telling::nothing) co_return;
    clear_news();
    poll_changes question;
    question.since_modseq = selected->known_modseq();
    const auto answer = co_await ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) {
        if (why->bye) bye(why->text, why->code);
        co_return;   // the store is busy or full: the next poll asks from the same point
    }
    const auto& delta = std::get<mailbox_delta>(answer);
    if (delta.gone) {
        bye("The selected mailbox has been deleted");
        co_return;
    }
    // A mail that came and went since the last poll gets no number: it could not be told as gone any more.
    std::vector<std::uint32_t> added;
    for (const auto one : delta.added)
        if (!delta.vanished.contains(one)) added.push_back(one);
    std::vector<const message_row*> changed;
    for (const auto& row : delta.changed)
        if (!selected->knows(row)) changed.push_back(&row);

    selected->take_in(delta);
    if (how == telling::everything && !selected->vanished.empty()) {
        tell_contexts_of_vanished(*this, selected->vanished);
        tell_expunged(selected->vanished);
        selected->vanished = {};
    }
    co_await drained();
    if (selected->numbers.add(added) > 0) {
        untagged(std::to_string(selected->numbers.size()) + " EXISTS");
        if (!rev2) untagged(std::to_string(selected->recent_count()) + " RECENT");
    }
    for (const auto* row : changed) {
        tell_flags(*row, uid);
        co_await drained();
    }
    mail::uid_set touched;
    for (const auto one : added) touched.add(one);
    for (const auto& row : delta.changed) touched.add(row.uid);
    co_await tell_contexts_of_changes(*this, touched);
}

void connection::tell_flags(const message_row& row, bool uid) {
    const auto number = selected->numbers.number_of(row.uid);
    if (number == 0) return;
    announce_keywords(row.flags);
    std::string line = std::to_string(number) + " FETCH (";
    // RFC 9051 section 7.5.2: unsolicited FETCH responses carry the UID; RFC 3501 has them only for UID commands.
    if (uid || rev2) line += "UID " + std::to_string(row.uid) + ' ';
    line += "FLAGS " + flag_list_text(row.flags, !rev2 && selected->recent(row.uid));
    if (condstore) line += " MODSEQ (" + std::to_string(row.modseq) + ')';
    untagged(line + ')');
    selected->told(row);
}

void connection::tell_expunged(const mail::uid_set& gone) {
    for (const auto number : selected->numbers.remove(gone)) untagged(std::to_string(number) + " EXPUNGE");
}

std::string connection::flags_line() const {
    mail::flags all;
    all.system = mail::seen | mail::answered | mail::flagged | mail::deleted | mail::draft;
    all.keywords = selected->keywords();
    return "FLAGS " + flag_list_text(all);
}

void connection::announce_keywords(const mail::flags& flags) {
    if (selected->learn_keywords(flags)) untagged(flags_line());
}

wire::task<> connection::leave_mailbox() {
    selected.reset();
    clear_news();
    close_mailbox question;
    co_await ask(std::move(question));
}

}  // namespace pp::imap

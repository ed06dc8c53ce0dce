// How a session learns and tells what happened in its selected mailbox (RFC 9051 sections 5.2, 7.4.1, 7.5.1; RFC 7162
// for mod-sequences and VANISHED).
#include "proto/imap/connection.hpp"
#include "proto/imap/notify.hpp"
#include "proto/imap/grammar/response.hpp"
#include "proto/imap/search/search_context.hpp"

#include <algorithm>

namespace pp::imap {

wire::task<> connection::tell_changes(telling how, bool uid) {
    if (how == telling::nothing || leaving) co_return;
    clear_news();
    // RFC 5465 section 3.1: with NOTIFY, only what it asks for of the selected mailbox.
    if (selected && (!notify || notify->request.selected_events != 0)) co_await tell_selected(how, uid || notify);
    if (!over && !leaving && notify && !notify->request.groups.empty()) co_await tell_others();
}

// After a command has run: what has come meanwhile, as far as this command allows.
wire::task<> connection::tell_news_of(const command& cmd, telling allowed) {
    if (allowed != telling::nothing) {
        // RFC 7162 section 3.2.10.2: a UID command that names mails by number is no place for removals either.
        const auto how = !cmd.uid ? allowed : cmd.by_number ? telling::no_expunge : telling::everything;
        // A mod-sequence has been sent that is beyond what was told: what lies between must be looked for, or a client
        // that is cut off now would never ask for it (RFC 7162 section 3.2).
        const bool behind = condstore && selected && selected->given_modseq() > selected->known_modseq();
        // Searches that are kept up to date hear of this command's own changes with its answer, not some time after.
        const bool watched = selected && !selected->contexts.empty();
        if (has_news() || behind || watched || (how == telling::everything && selected && !selected->vanished.empty()))
            co_await tell_changes(how, cmd.uid);
    }
    if (over || leaving || !selected || !qresync) co_return;
    // RFC 7162 section 6: removals are still waiting, so the client must not take what it was sent for its state.
    if (selected->given_modseq() > selected->synced_modseq())
        untagged("OK [HIGHESTMODSEQ " + std::to_string(selected->synced_modseq()) + "] Changes are yet to be told");
}

wire::task<> connection::tell_selected(telling how, bool uid) {
    poll_changes question;
    question.since_modseq = selected->known_modseq();
    const auto answer = co_await ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) {
        if (why->bye) bye(why->text, why->code);
        co_return;   // the store is busy or full: the next poll asks from the same point
    }
    const auto& delta = std::get<mailbox_delta>(answer);
    if (delta.gone) {
        untagged("BYE The selected mailbox has been deleted");
        leaving = true;   // what the running command has done (an APPEND elsewhere) is still answered
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
        tell_expunged(selected->vanished);
        selected->vanished = {};
    }
    co_await drained();
    if (selected->numbers.add(added) > 0) {
        untagged(std::to_string(selected->numbers.size()) + " EXISTS");
        if (!rev2) untagged(std::to_string(selected->recent_count()) + " RECENT");
    }
    const auto foreign = selected->take_foreign(added);
    if (notify && notify->request.fetch) co_await tell_items(*notify->request.fetch, foreign);
    // RFC 5465 section 5.1: changes of flags are told only when asked for; HIGHESTMODSEQ then stays behind them.
    const bool with_flags = !notify || (notify->request.selected_events & notify_flag_change);
    if (!with_flags && !changed.empty()) selected->withhold();
    for (const auto* row : changed) {
        if (!with_flags || over) break;
        tell_flags(*row, uid);
        co_await drained();
    }
    mail::uid_set touched;
    for (const auto one : added) touched.add(one);
    for (const auto& row : delta.changed) touched.add(row.uid);
    co_await tell_contexts_of_changes(*this, touched, foreign);
    if (!over) selected->told_all();
}

std::string connection::fetch_head(std::uint32_t uid, std::uint32_t number) const {
    return "* " + (uid_only ? std::to_string(uid) + " UIDFETCH (" : std::to_string(number) + " FETCH (");
}

void connection::tell_flags(const message_row& row, bool uid) {
    const auto number = selected->numbers.number_of(row.uid);
    if (number == 0) return;
    announce_keywords(row.flags);
    auto line = fetch_head(row.uid, number);
    // RFC 9051 section 7.5.2 and RFC 7162 section 3.2.4: unsolicited FETCH responses carry the UID; RFC 3501 has them
    // only for UID commands.
    if (!uid_only && (uid || rev2 || condstore)) line += "UID " + std::to_string(row.uid) + ' ';
    line += "FLAGS " + flag_list_text(row.flags, !rev2 && selected->recent(row.uid));
    if (condstore) {
        line += " MODSEQ (" + std::to_string(row.modseq) + ')';
        selected->give_modseq(row.modseq);
    }
    send(line + ")\r\n");
    selected->told(row);
}

void connection::tell_expunged(const mail::uid_set& gone) {
    tell_contexts_of_vanished(*this, gone);
    const auto recent = selected->recent_count();
    if (qresync || uid_only) {
        const auto visible = selected->numbers.present(gone);   // RFC 7162 section 3.2.10.2: no others
        selected->numbers.remove(visible);
        tell_vanished(visible, false);
    } else {
        for (const auto number : selected->numbers.remove(gone)) untagged(std::to_string(number) + " EXPUNGE");
    }
    // RFC 3501 section 7.3.2: no client works this out from removals.
    if (!rev2 && selected->recent_count() != recent) untagged(std::to_string(selected->recent_count()) + " RECENT");
}

void connection::tell_vanished(const mail::uid_set& gone, bool earlier) {
    const auto& ranges = gone.ranges();
    for (std::size_t at = 0; at < ranges.size();) {
        mail::uid_set some;
        for (const auto end = std::min(at + vanished_ranges_per_line, ranges.size()); at < end; ++at)
            some.add(ranges[at].first, ranges[at].last);
        untagged((earlier ? "VANISHED (EARLIER) " : "VANISHED ") + some.text());
    }
}

void connection::enable_condstore() {
    if (condstore) return;
    condstore = true;
    if (selected) untagged("OK [HIGHESTMODSEQ " + std::to_string(selected->synced_modseq()) + "] Highest");
}

wire::task<std::string> connection::highest_modseq_code(bool uid) {
    if (!qresync) co_return std::string();
    co_await tell_changes(telling::everything, uid);
    if (over || !selected) co_return std::string();
    co_return "HIGHESTMODSEQ " + std::to_string(selected->synced_modseq());
}

// Both lists each time: RFC 3501 section 7.1, a flag that is in FLAGS but not in PERMANENTFLAGS cannot be kept.
void connection::tell_keywords() {
    mail::flags all;
    all.system = mail::seen | mail::answered | mail::flagged | mail::deleted | mail::draft;
    all.keywords = selected->keywords();
    auto list = flag_list_text(all);
    untagged("FLAGS " + list);
    list.insert(list.size() - 1, " \\*");   // new keywords can be made
    if (selected->read_only) untagged("OK [PERMANENTFLAGS ()] Read-only mailbox");
    else untagged("OK [PERMANENTFLAGS " + list + "] Kept");
}

void connection::announce_keywords(const mail::flags& flags) {
    if (selected->learn_keywords(flags)) tell_keywords();
}

bool connection::has_put_here(std::uint32_t uid_validity, const std::vector<std::uint32_t>& uids) {
    if (!selected || selected->uid_validity != uid_validity) return false;
    for (const auto uid : uids) selected->put_here(uid);
    return true;
}

wire::task<> connection::leave_mailbox() {
    selected.reset();
    clear_news();
    close_mailbox question;
    co_await ask(std::move(question));
}

}  // namespace pp::imap

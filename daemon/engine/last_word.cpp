#include "daemon/engine/last_word.hpp"

#include "proto/mail/date.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

doubt of(const deposit_place& place) {
    switch (place.lies) {
    case trace::left:
    case trace::taking: return doubt::waits;
    case trace::fetched: return doubt::fetched;
    case trace::none:
    case trace::gone: break;
    }
    return doubt::none;
}

std::string date_of(unix_ms at) { return pp::mail::header_date({at / 1000, 0}); }

}  // namespace

doubt doubt_of(const deposit_notes& n, unix_ms now) {
    if (!n.item_left && !n.item_may_lie) return doubt::none;   // nothing ever told her where to look
    auto all = doubt::none;
    for (const auto& known : places_of(n)) all = std::max(all, of(known.place));
    if (all == doubt::waits && n.lies_until != 0 && now > n.lies_until + relay_clears_within.count()) all = doubt::none;
    return all;
}

storage::outbox_row last_word(storage::outbox_row row, unix_ms now, const delivery_times& times) {
    auto failed = give_up_when_late(row, now, times);
    if (is_open(failed)) return row;
    auto notes = notes_of(row);
    const auto open = doubt_of(notes, now);
    if (open == doubt::none) return failed;
    const auto end = begins_at(row) + (1 + decided_within) * times.fail_after.count();
    if (now < end) return row;
    notes.in_doubt = true;
    failed.deposit = encode(notes);
    failed.last_error =
        open == doubt::fetched
            ? "the recipient's computer took the mail from the relay where it waited, but no receipt of hers has come"
            : "the mail was left at a relay that cannot be reached any more to take it back" +
                  (notes.lies_until > now ? "; it may be fetched there until " + date_of(notes.lies_until)
                                          : std::string());
    return failed;
}

bool is_in_doubt(const storage::outbox_row& row) {
    return row.state == storage::outbox_state::failed && notes_of(row).in_doubt;
}

}  // namespace pp::engine

// What becomes of an outbox row (01-product 1.4, 02-architecture 2.4): pure decisions on values. The caller brings the
// clock and the dice, writes the row it gets back and acts on it.
//
//   queued -> (seeded ->) notified -> delivered    a step may be repeated after a crash: a repeat is recognised by
//      \________\______-> failed                   its id. Failed: refused, or given up
#pragma once

#include "daemon/engine/delivery_times.hpp"
#include "proto/peer/messages.hpp"
#include "storage/records.hpp"

#include <chrono>

namespace pp::engine {

using std::chrono::milliseconds;
using storage::unix_ms;

inline constexpr milliseconds retry_first = std::chrono::seconds(30);
// The recipient fetches by herself; ask again what became of it when no receipt comes.
inline constexpr milliseconds notified_again_after = std::chrono::minutes(15);
// A node that was off or asleep asks once more before it gives a mail up: not before so long, which leaves the network
// of the machine time to come up beside two attempts to reach somebody, and at the latest after so long.
inline constexpr milliseconds last_try_least = std::chrono::seconds(5);
inline constexpr milliseconds last_try_longest = std::chrono::minutes(10);

// When to try again after so many attempts; dice in [0, 1) spreads by a quarter, so that nodes do not come in step.
unix_ms next_attempt(std::uint32_t attempts_made, unix_ms now, double dice, const delivery_times& times = {});

// RFC 4865: the longest a submitted mail is held back on request. Long enough for a reminder, short enough that
// contacts and keys are still the ones the sender had in mind.
inline constexpr std::chrono::seconds hold_longest = std::chrono::days(90);

bool is_open(const storage::outbox_row& row);               // still to be worked on
bool is_held(const storage::outbox_row& row, unix_ms now);  // and on request of the sender not before a later moment
// When its delivery begins: at its submission, or when it is released.
unix_ms begins_at(const storage::outbox_row& row);
// The same as far as it can be believed now: a mail that began later than now was submitted when the clock was ahead.
unix_ms began_at(const storage::outbox_row& row, unix_ms now);
bool is_due(const storage::outbox_row& row, unix_ms now);   // and its time has come
// Not reachable, or the link ended before the answer. sentence says why, for people. An attempt gives nothing up.
storage::outbox_row attempt_failed(storage::outbox_row row, std::string sentence, unix_ms now, double dice,
                                   const delivery_times& times = {});
// Failed when the time is over; else as it was. Who has just learned of the mail gets the time to fetch it.
storage::outbox_row give_up_when_late(storage::outbox_row row, unix_ms now, const delivery_times& times = {});
// When give_up_when_late() or delay_noticed() may change an open row next.
unix_ms next_judgement(const storage::outbox_row& row, unix_ms now, const delivery_times& times = {});

// Between two looks at the clock: whether it was put forward or back by more than an hour, or the machine has slept.
bool clock_jumped(milliseconds by_the_clock, milliseconds truly_passed);

// Whether an open row may be given up when it is late. Since `since` the node serves without a break; asked: since then
// she was tried, and what lies in our slots at relays was read. A receipt may have been lost in the crash before that,
// and another one may wait there.
bool may_give_up(const storage::outbox_row& row, unix_ms since, bool asked, unix_ms now,
                 const delivery_times& times = {});

// A receipt that proves that this row's mail is stored: right signatures, this notification, this blob, from us, by a
// device of the recipient. errc of proto/peer otherwise.
result<peer::receipt> check_receipt(const storage::outbox_row& row, const crypto::account_key& sender,
                                    const crypto::blob_id& blob, bytes_view signed_receipt);
// The receipt has been checked.
storage::outbox_row receipt_came(storage::outbox_row row, bytes signed_receipt, unix_ms now);

// The recipient asks a stranger for 2^bits tries of work first (engine/strangers.hpp):
// the row says so until it is done.
storage::outbox_row work_asked_for(storage::outbox_row row, std::uint8_t bits, unix_ms now, double dice,
                                   const delivery_times& times = {});

struct notify_outcome {
    storage::outbox_row row;
    bool refresh_record = false;    // the recipient's prekeys have changed: get her record before the next attempt
};
notify_outcome notify_answered(storage::outbox_row row, const peer::notify_reply& reply,
                               const crypto::account_key& sender, const crypto::blob_id& blob, unix_ms now, double dice,
                               const delivery_times& times = {});
// The recipient has said by letter that she takes this mail never.
storage::outbox_row refusal_came(storage::outbox_row row, const std::string& reason, unix_ms now);

}  // namespace pp::engine

#include "daemon/engine/outgoing.hpp"

#include "daemon/engine/delivery.hpp"

#include <algorithm>

namespace pp::engine {

namespace {
bool is_notified(const storage::outbox_row& row) { return row.state == storage::outbox_state::notified; }
bool is_seeded(const storage::outbox_row& row) { return row.state == storage::outbox_state::seeded; }
}  // namespace

bool belongs_in_outgoing(std::span<const storage::outbox_row> open_rows, storage::unix_ms now) {
    return std::any_of(open_rows.begin(), open_rows.end(), [&](const auto& row) {
        return is_held(row, now) || row.attempts > 0 || is_notified(row) || is_seeded(row);
    });
}

mail::flags outgoing_flags(std::span<const storage::outbox_row> open_rows, storage::unix_ms now) {
    const bool held =
        std::any_of(open_rows.begin(), open_rows.end(), [&](const auto& row) { return is_held(row, now); });
    const bool notified = std::all_of(open_rows.begin(), open_rows.end(), is_notified);
    const bool gone = std::all_of(open_rows.begin(), open_rows.end(),
                                  [](const auto& row) { return is_notified(row) || is_seeded(row); });
    mail::flags flags;
    flags.system = mail::seen;
    flags.keywords = {held ? "Held" : notified ? "Notified" : gone ? "Seeded" : "Queued"};
    return flags;
}

storage::outbox_row cancelled(storage::outbox_row row, storage::unix_ms now) {
    if (row.state != storage::outbox_state::queued) return row;
    row.state = storage::outbox_state::failed;
    row.state_since = now;
    row.last_error = cancelled_sentence;
    return row;
}

}  // namespace pp::engine

// The mailbox Outgoing (01-product 1.4): a message for each mail that is still under way, its state as keyword.
// Deleting it cancels what has not gone out. Pure: what should stand there, from the outbox rows of one submission.
#pragma once

#include "storage/records.hpp"

#include <span>

namespace pp::engine {

inline constexpr std::string_view outgoing_name = "Outgoing";
inline constexpr std::string_view outgoing_keywords[] = {"Held", "Queued", "Seeded", "Notified"};
inline constexpr std::string_view cancelled_sentence = "cancelled: it was deleted from Outgoing";

// What is delivered at the first attempt does not appear.
bool belongs_in_outgoing(std::span<const storage::outbox_row> open_rows, storage::unix_ms now);
// \Seen, and one of: Held (waits for its moment, RFC 4865), Queued (for the recipient's node), Seeded (it
// waits at a relay), Notified (she has the
// notification and fetches). Of several recipients the one that is furthest behind.
mail::flags outgoing_flags(std::span<const storage::outbox_row> open_rows, storage::unix_ms now);
// Of the note that lies in Trash then, or wherever it was moved: Cancelled, when something was; else as it was.
inline constexpr std::string_view cancelled_keyword = "Cancelled";
// The row after its message was deleted from Outgoing: failed when nothing has gone out, else as it was.
storage::outbox_row cancelled(storage::outbox_row row, storage::unix_ms now);

}  // namespace pp::engine

// What becomes of a mail, in words for the person who sent it (01-product 1.4). `queue why`, the mailbox Outgoing and
// the reports (RFC 3464) say the same. Pure; sentences are UTF-8 without control characters.
#pragma once

#include "daemon/engine/delivery_times.hpp"
#include "storage/records.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pp::engine {

// What there is, what comes next, what can be done: one sentence each. `once`: for a mail that is read later and not
// written anew at each attempt, so without what the next attempt changes.
enum class spoken : std::uint8_t { now, once };
std::vector<std::string> explained(const storage::outbox_row& row, const delivery_times& times, storage::unix_ms now,
                                   spoken how = spoken::now);
// Whether a failed row ran out of time; else it was refused, or cancelled.
bool failed_of_lateness(const storage::outbox_row& row, const delivery_times& times);
// What the sender can do about a mail that failed: one sentence each.
std::vector<std::string> advice(const storage::outbox_row& row, const delivery_times& times);

// "Sun, 22 Nov 2026, 07:00 UTC": mails are read in more zones than one.
std::string moment(storage::unix_ms at);
// Begins with a capital, ends with a full stop.
std::string sentence(std::string_view text);
// In lines of at most 72 columns, where words allow it; ends with LF.
std::string paragraph(std::string_view text);

// Each recipient of one mail, and what becomes of it there: paragraphs. The first people_named_max; the others are
// counted.
inline constexpr std::size_t people_named_max = 20;   // a page of text
std::string explained_to_each(const std::vector<storage::outbox_row>& rows, const delivery_times& times,
                              storage::unix_ms now);

// The first Subject of a header block, decoded; "" when there is none. At most subject_bytes_max, whole characters.
inline constexpr std::size_t subject_bytes_max = 200;   // one line of a list of mails
std::string subject_in(std::string_view header_block);
// Subject, recipient (unless it is empty) and moment as indented lines: which mail is spoken of.
std::string mail_lines(std::string_view subject, std::string_view recipient, storage::unix_ms sent);
// For the Subject field of a mail of ours: "Delayed: Lunch on Friday"; without a subject, the words that stand for it.
std::string subject_about(std::string_view what, std::string_view subject, std::string_view otherwise);
// The value of a Subject field (RFC 5322 unstructured, RFC 2047): never holds a line end that is no folding.
std::string header_text(std::string_view text);

}  // namespace pp::engine

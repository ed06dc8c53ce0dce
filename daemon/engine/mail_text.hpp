// Joins the full-text index to the mails: what IMAP's SEARCH would look at in a mail, as trigrams, and what it asks, as
// questions to the index. Both sides use the code that SEARCH itself reads and folds with
// (proto/imap/search/searchable_text.hpp).
#pragma once

#include "proto/imap/events.hpp"
#include "storage/text_index.hpp"

#include <functional>

namespace pp::engine {

// All texts of one mail. errc::not_found: it is gone; errc::damaged; errc::io_error; errc::read_only: `stop`, asked
// between its pieces, said so.
result<void> read_mail_text(const storage::account_store& store, std::uint64_t mail_serial, storage::mail_trigrams& out,
                            const std::function<bool()>& stop);

storage::text_question text_question_of(const imap::text_needle& needle);

}  // namespace pp::engine

// The search fields of mails (proto/imap/search/search_fields.hpp), kept between searches.
//
// Why a cache and not a row of their own in the store: every row on disk is sealed, and opening one costs about as much
// as comparing a hundred mails, so 10 000 of them cannot be opened in the 5 ms that a search by subject may take. Rows
// that hold many mails each would be written again for every mail that arrives, inside the durable path. What a mail's
// header says never changes, so a cache has nothing to keep in step: a UID means the same mail for ever. The first
// search after a start reads the index rows once.
//
// Memory is bounded: what does not fit is read again each time. Any thread.
#pragma once

#include "proto/imap/events.hpp"
#include "proto/imap/search/search_fields.hpp"
#include "storage/txn.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace pp::engine {

inline constexpr std::size_t search_cache_bytes_max = 48 * 1024 * 1024;   // of all accounts: about 100 000 mails
inline constexpr std::size_t cached_fields_bytes_max = 32 * 1024;         // larger ones are not kept
// of one answer, those that are not kept included; and what is decoded for it
inline constexpr std::size_t fields_read_bytes_max = 1024 * 1024;

class search_cache {
public:
    using clock = std::chrono::steady_clock;
    // A mailbox nobody has searched for so long is forgotten: an idle daemon is small.
    static constexpr auto kept_for = std::chrono::minutes(30);

    explicit search_cache(std::size_t bytes_max = search_cache_bytes_max) : bytes_max_(bytes_max) {}

    // Answers read_search_fields: at most imap::rows_per_question_max mails are read from the store for it.
    result<imap::search_rows> find(const storage::account_store& store, const std::string& account,
                                   storage::mailbox_id box, const mail::uid_set& uids, clock::time_point now);
    // These mails are gone.
    void forget(const std::string& account, storage::mailbox_id box, const mail::uid_set& gone);
    void forget_unused(clock::time_point now);
    std::size_t bytes() const;

private:
    struct entry {
        std::uint32_t uid = 0;
        std::shared_ptr<const imap::search_fields> fields;
    };
    struct mailbox {
        std::vector<entry> mails;                 // by UID
        std::size_t bytes = 0;
        clock::time_point used;
    };
    using key = std::pair<std::string, storage::mailbox_id>;
    struct reading;                               // one answer in the making

    result<void> read_missing(const storage::read_txn& txn, storage::mailbox_id box, mailbox& kept, std::uint32_t first,
                              std::uint32_t last, reading& answer);
    void make_room(const mailbox& keep);
    void drop_unused(clock::time_point now);

    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    std::map<key, mailbox> boxes_;
    std::size_t bytes_ = 0;
};

}  // namespace pp::engine

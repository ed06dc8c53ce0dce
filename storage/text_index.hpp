// The full-text index of one account (03-storage 3.8): which mails may hold a string? It never leaves out a mail that
// does; the caller reads what is left and decides. Mails that are not indexed yet, and those of which not all is
// known, are in every answer.
//
//   new mail -> (quiet) -> text_builder reads it -> pages of a segment, a few per commit -> the directory names it
//
// A segment counts from the moment the directory row names it, in one commit; a kill before leaves pages nobody names,
// which the next builder erases. Nothing of the index is in the log: it can be thrown away at any time.
#pragma once

#include "storage/account_store.hpp"
#include "storage/table.hpp"
#include "storage/text_segment.hpp"

#include <atomic>
#include <map>
#include <mutex>

namespace pp::storage {

struct text_question {
    std::uint8_t kinds = 0;                   // bits of text_kind: where the string may stand
    std::string folded;                       // not empty
};
struct text_answer {
    std::uint32_t before_uid = 0;             // nothing is said of mails from this UID on
    std::vector<std::optional<mail::uid_set>> mails;   // by question: no other mail of the box has it; nullopt: any may
};
struct text_progress {
    std::uint64_t mails = 0, waiting = 0;     // in the index; not in it yet
    std::uint64_t segments = 0, bytes = 0;
};

// What one commit changes. Made by text_builder, applied by the writer.
struct text_batch {
    std::uint64_t tag = 0;                    // of the index this is for: else errc::not_found and nothing is changed
    bool fresh = false;                       // begin an empty index in place of whatever is there
    std::vector<std::pair<row_name, bytes>> pages;     // sealed
    std::vector<row_name> erase;
    std::optional<text_directory> directory;
};

class text_index {
public:
    explicit text_index(account_store::state& store) : store_(store) {}

    // ---- any thread
    // An index that is missing or cannot be read answers "any may" to everything; errors are those of the view.
    result<text_answer> find(mailbox_id box, std::span<const text_question> questions) const;
    result<text_progress> progress() const;
    // Every page opens, is in order and agrees with its fences; every placement is listed. Sentences about what is not.
    result<void> check(const std::function<void(std::string)>& finding) const;

    // ---- the thread of account_store::write(). errc::full, errc::read_only, errc::io_error.
    result<void> apply(const text_batch& batch);
    // A page did not fit: text_builder begins anew.
    bool is_damaged() const { return damaged_; }
    void note_damage() const { damaged_ = true; }

    // ---- for text_builder, on its thread
    struct opened {
        text_directory directory;
        crypto::row_key page_key;
        token_maker tokens;
    };
    // nullopt: there is none, or its key is gone.
    result<std::optional<opened>> open() const;
    // Serials with a mail, from `from` on, at most limit; and the serial behind which nothing is known yet.
    result<std::vector<std::uint64_t>> serials(std::uint64_t from, std::size_t limit, std::uint64_t& next_serial) const;
    result<bytes> read_page(const opened& index, const text_segment& segment, std::uint32_t page) const;
    std::pair<row_name, bytes> seal_page(const opened& index, std::uint32_t segment, std::uint32_t page,
                                         bytes_view plain) const;
    // Pages of segments the directory does not name, at most limit.
    result<std::vector<row_name>> leftovers(const text_directory& directory, std::size_t limit) const;
    bool room_on_disk() const;                // the index never takes the room that mail needs

private:
    using fences = std::shared_ptr<const std::vector<text_token>>;

    result<std::optional<opened>> open(const rows& r) const;
    result<void> begin_anew(rows& r) const;
    result<bytes> read_page(const rows& r, const opened& index, const text_segment& segment, std::uint32_t page) const;
    result<fences> fences_of(const rows& r, const opened& index, const text_segment& segment) const;
    result<void> look_up(const rows& r, const opened& index, const text_segment& segment,
                         const std::vector<text_token>& any, mail_bits& out) const;
    result<std::optional<mail_bits>> candidates(const rows& r, const opened& index, const text_segment& segment,
                                                const text_question& question) const;
    result<std::optional<mail::uid_set>> answer(const rows& r, const opened& index, mailbox_id box,
                                                const text_question& question) const;
    result<void> check_segment(const rows& r, const opened& index, const text_segment& segment) const;

    account_store::state& store_;
    mutable std::mutex mutex_;                // guards the cache
    mutable std::uint64_t cached_tag_ = 0;
    mutable std::atomic<bool> damaged_ = false;
    mutable std::map<std::uint32_t, fences> cached_;   // by segment id: 4 B per page of 4096 B
};

}  // namespace pp::storage

// What is kept in memory of the open outbox rows of one account, so that nothing that is done for one mail goes through
// all of them: which row is to be looked at when, which wait for whom, which are of one mail, which stand in Outgoing.
// The rows themselves are in the store, and are read again whenever something is done about one. About 400 bytes a row.
// Pure; one owner (the courier), one thread.
#pragma once

#include "storage/records.hpp"

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace pp::engine {

class open_mails {
public:
    using id16 = storage::id16;
    using unix_ms = storage::unix_ms;
    // Rows in the order their mails were submitted in.
    using ordered = std::set<std::pair<unix_ms, id16>>;

    // The row as it stands now: an open one is kept, and is due to be looked at; any other is let go of.
    void changed(const storage::outbox_row& row);
    void gone(const id16& id);
    bool knows(const id16& id) const { return rows_.contains(id); }
    std::size_t size() const { return rows_.size(); }
    std::vector<id16> ids() const;

    // When to look at it, if not earlier. No effect on rows that are not here.
    void look(const id16& id, unix_ms when);
    void look_at_all(unix_ms when);
    void look_at_all_to(const crypto::account_key& who, unix_ms when);   // of those that wait for her
    // The one that was to be looked at first, when that time has come; it is not looked at again before look() says so.
    std::optional<id16> take_due(unix_ms now);
    std::optional<unix_ms> next_look() const;

    // Whether its recipient's node is what it waits for.
    void set_waits(const id16& id, bool waits);
    bool any_waits_for(const crypto::account_key& who) const { return waiting_.contains(who); }
    const ordered& waiting_for(const crypto::account_key& who) const;
    // The rows of hers whose note of why they wait is another than this, oldest first, at most `most`; of the first
    // `always` it is written each time. A reason is named by a hash.
    std::vector<id16> not_told(const crypto::account_key& who, std::size_t reason, std::size_t always,
                               std::size_t most) const;
    void told(const id16& id, std::size_t reason);

    // The open rows of the mail that this one is of, or that this UID of Outgoing tells of.
    std::vector<id16> of_submission(const id16& submission) const;
    std::vector<id16> submissions_in_outgoing(std::uint32_t first_uid, std::uint32_t last_uid) const;
    std::vector<id16> submissions_in_outgoing() const;
    std::optional<id16> submission_of(const id16& id) const;

private:
    static constexpr unix_ms never = std::numeric_limits<unix_ms>::max();
    struct entry {
        crypto::account_key to;
        id16 submission{};
        unix_ms submitted_at = 0, look_at = never;
        std::uint32_t outgoing_uid = 0;
        bool waits = false;
        std::size_t told = 0;
    };
    void leave_indexes(const id16& id, const entry& e);

    std::map<id16, entry> rows_;
    std::set<std::pair<unix_ms, id16>> looks_;
    std::map<crypto::account_key, ordered> waiting_;
    std::set<std::pair<id16, id16>> submissions_;                // submission, row
    std::set<std::pair<std::uint32_t, id16>> outgoing_;          // UID, submission
};

}  // namespace pp::engine

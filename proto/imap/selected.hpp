// The selected mailbox as this session has told it to its client: sequence number <-> UID, what of the mailbox's
// history the client knows, the saved search result. Pure bookkeeping; connection::tell_changes does the talking.
//
// Invariants: numbers 1..size() are what the client believes. A vanished mail keeps its number until its EXPUNGE has
// been sent. UIDs only rise.
#pragma once

#include "proto/imap/events.hpp"
#include "proto/imap/grammar/parser.hpp"
#include "proto/imap/search/search_context.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pp::imap {

class sequence_map {
public:
    sequence_map() = default;
    explicit sequence_map(std::vector<std::uint32_t> uids) : uids_(std::move(uids)) {}

    std::uint32_t size() const { return static_cast<std::uint32_t>(uids_.size()); }
    std::uint32_t uid_at(std::uint32_t number) const { return uids_[number - 1]; }   // 1 <= number <= size()
    std::uint32_t number_of(std::uint32_t uid) const;                                // 0: not there
    std::uint32_t last_uid() const { return uids_.empty() ? 0 : uids_.back(); }
    const std::vector<std::uint32_t>& uids() const { return uids_; }

    // Takes rising UIDs greater than last_uid(); others are passed over. Returns how many.
    std::size_t add(const std::vector<std::uint32_t>& rising);
    // Removes what is there of `gone`. Returns the numbers for EXPUNGE responses in the order in which they are to be
    // sent, each as it counts after the ones before it.
    std::vector<std::uint32_t> remove(const mail::uid_set& gone);
    // The mails of a set of UIDs that are there.
    mail::uid_set present(const mail::uid_set& uids) const;

private:
    std::vector<std::uint32_t> uids_;   // rising
};

class selected_mailbox {
public:
    selected_mailbox(opened_mailbox opened, bool read_only);

    std::string name;                  // follows a RENAME of this session
    const bool read_only;
    const std::uint64_t mailbox;
    const std::uint32_t uid_validity;
    sequence_map numbers;

    // The mails a set means, as UIDs that have a number here. uid: the set is of UIDs (unknown ones are passed over),
    // else of sequence numbers (a number above size() is an error, as RFC 9051 section 9 (seq-number) says; "*" and
    // "1:*" of an empty mailbox mean nothing). The string is the sentence for BAD.
    std::variant<mail::uid_set, std::string> resolve(const sequence_set& set, bool uid) const;

    // SEARCH RETURN (SAVE), RFC 5182; "$" means these.
    void save_result(mail::uid_set uids) { saved_ = std::move(uids); }
    const mail::uid_set& saved_result() const { return saved_; }

    // SEARCH and SORT RETURN (UPDATE), RFC 5267.
    std::vector<search_context> contexts;
    mail::uid_set context_changes;       // new or changed mails the contexts have not been asked about

    // Mails this session has added itself: no items of them are told unasked (RFC 5465 section 5.2).
    void put_here(std::uint32_t uid) { own_.add(uid); }
    std::vector<std::uint32_t> take_foreign(const std::vector<std::uint32_t>& added);   // forgets which are its own

    bool recent(std::uint32_t uid) const { return recent_.contains(uid); }
    std::uint32_t recent_count() const;

    // ---- what the client knows of the history
    std::uint64_t known_modseq() const { return known_modseq_; }   // for poll_changes
    // The client has been sent (or, after .SILENT, knows) these flags:
    // a later delta that says the same is not repeated.
    void told(const message_row& row);
    // All that lies between known_modseq() and this one is a change of this session's own that the client knows. Where
    // contexts wait to be asked about it the next delta has to name it all the same.
    void knows_all_to(std::uint64_t modseq) {
        if (!contexts.empty() || modseq <= known_modseq_) return;
        if (synced_modseq_ == known_modseq_) synced_modseq_ = modseq;
        known_modseq_ = modseq;
    }
    // Takes a delta in. Vanished mails wait in `vanished` until they may be told.
    void take_in(const mailbox_delta& delta);
    bool knows(const message_row& row) const;    // flags of this state were told
    mail::uid_set vanished;                      // gone, not yet told

    // ---- what the client may take for its HIGHESTMODSEQ (RFC 7162 section 6)
    // Every change up to here has been told: less than known_modseq() while removals wait to be told.
    std::uint64_t synced_modseq() const { return synced_modseq_; }
    void told_all() {
        if (vanished.empty() && !withheld_) synced_modseq_ = known_modseq_;
    }
    void withhold() { withheld_ = true; }   // a change was not told and never will be
    // The greatest mod-sequence that FETCH responses of this command have named.
    std::uint64_t given_modseq() const { return given_modseq_; }
    void give_modseq(std::uint64_t modseq) { given_modseq_ = std::max(given_modseq_, modseq); }
    void forget_given_modseq() { given_modseq_ = 0; }

    // Keywords seen so far; true when the row brings one the client has not been told of.
    bool learn_keywords(const mail::flags& flags);
    const std::vector<std::string>& keywords() const { return keywords_; }

private:
    std::uint64_t known_modseq_, synced_modseq_;
    std::uint64_t given_modseq_ = 0;
    bool withheld_ = false;
    mail::uid_set recent_, own_;
    std::map<std::uint32_t, std::uint64_t> told_;   // UID -> modseq, above known_modseq_ only
    mail::uid_set saved_;
    std::vector<std::string> keywords_;             // sorted without case
};

}  // namespace pp::imap

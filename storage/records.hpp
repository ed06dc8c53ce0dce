// The things the store keeps, as values. What stands on disk is storage/FORMAT.md; these are never written as they are.
#pragma once

#include "crypto/keys.hpp"
#include "crypto/scram.hpp"
#include "proto/mail/date.hpp"
#include "proto/mail/flags.hpp"
#include "proto/mail/message_index.hpp"
#include "proto/mail/uid_set.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pp::storage {

using mailbox_id = std::uint64_t;                     // random, stays the same when renamed
inline constexpr mailbox_id no_mailbox = 0;           // for add_mail: only outbox rows of the same job hold the mail
using id16 = std::array<std::byte, 16>;               // random names of rows: placements, outbox, contacts...
using unix_ms = std::int64_t;

// ------------------------------------------------------------------ mailboxes and mails
enum class special_use : std::uint8_t { none, all, archive, drafts, flagged, junk, sent, trash };

struct mailbox {
    mailbox_id id = 0;
    std::string name;                                 // UTF-8, "/" between levels; INBOX in capitals
    special_use use = special_use::none;
    bool subscribed = true;
    std::uint32_t uid_validity = 0, uid_next = 1;     // persisted in the log; never reused, never derived
    std::uint64_t highest_modseq = 1;
    std::uint32_t messages = 0, unseen = 0, deleted = 0;
    std::uint64_t size_bytes = 0;
    std::uint32_t first_recent_uid = 1;               // UIDs below it some session has seen as \Recent
};

struct message {                                      // one placement of a mail in a mailbox
    mailbox_id box = 0;
    std::uint32_t uid = 0;
    std::uint64_t modseq = 0;
    std::uint64_t mail_serial = 0;                    // key of its index and of its blob; shared by copies
    id16 placement{};
    mail::flags flags;
    mail::date_time internal_date, save_date;
    std::uint64_t size_bytes = 0;
};

struct annotation {                                   // RFC 5464
    std::string entry;                                // "/private/comment", in lower case
    bytes value;
};

// How to open and fetch a blob: what a notification carries.
struct blob_ref {
    crypto::blob_id id;
    crypto::blob_key key;
    std::uint64_t plain_bytes = 0, cipher_bytes = 0;  // cipher without header
};

// ------------------------------------------------------------------ delivery
enum class outbox_state : std::uint8_t { queued, notified, delivered, failed, seeded };

struct outbox_row {                                   // one mail to one recipient
    id16 id{};
    id16 submission{};                                // the same for all recipients of one mail
    std::uint64_t mail_serial = 0;
    std::string recipient;                            // address as given at RCPT
    crypto::account_key account;
    outbox_state state = outbox_state::queued;
    id16 notification{};                              // fixed at submission: a repeat is recognised by it
    std::string message_id;                           // of the header; may be empty
    std::string orcpt, envid;                         // RFC 3461
    // bits: 1 never 2 success 4 failure 8 delay; 0 unset 1 full 2 hdrs
    std::uint8_t notify = 0, ret = 0;
    std::uint32_t attempts = 0;
    unix_ms submitted_at = 0, next_attempt_at = 0, state_since = 0;
    unix_ms hold_until = 0;                           // not before, asked for by the sender (RFC 4865); 0: at once
    bool delay_told = false;                          // the sender has been told that it waits (RFC 3461)
    std::uint32_t outgoing_uid = 0;                   // of its mail in the mailbox Outgoing; 0: not there yet
    unix_ms left_at = 0;                              // at a relay, where it waited then, the last time; 0: never
    std::string last_error;                           // a plain sentence
    bytes receipt;                                    // signed, when delivered
    bytes deposit;                                    // what lies at relays, and how it was paid (engine/deposit.hpp)
};

// What is still to be done about a notification: fetch its mail; tell the sender, who is away, that it is stored; that
// it is refused.
enum class inbound_stage : std::uint8_t { wanted, stored, refused };

struct inbound_row {                                  // a notification accepted that is not over yet
    id16 notification{};
    crypto::account_key sender;
    // the opened notification (proto/peer message), re-read after restart
    bytes opened;
    unix_ms received_at = 0;
    std::uint32_t attempts = 0;
    inbound_stage stage = inbound_stage::wanted;
    std::string reason;                               // of a refusal, for the sender
};

// ------------------------------------------------------------------ people
enum class known_by : std::uint8_t { invite_used, invite_given, address, request, card };

struct contact {
    crypto::account_key account;
    std::string name;                                 // display name; may be empty
    known_by how = known_by::address;
    bool accepted = true;                             // false: seen only through a request
    bool blocked = false;
    unix_ms since = 0;
    std::vector<std::string> endpoints;               // "host:port", best first; from invite, record, last good
    bytes record;                                     // newest account record (proto/peer message), signed
    bytes invite_token;                               // still to be presented to the other side; empty: none
    unix_ms verified_at = 0;                          // the two have compared their keys; 0: not yet
    // taken from the list, can be taken back for a while; 0: it is there
    unix_ms removed_at = 0;
    bool accepted_before = false;                     // with removed_at: what taking it back restores
    bool two_keys_untold = false;                     // the user is to hear that another contact has the same name
    bool old_record_untold = false;                   // ... that a record older than this one was shown
    bool old_record_told = false;                     // and that was told
};

struct invite {
    id16 token{};
    unix_ms created_at = 0, expires_at = 0;
    std::uint32_t uses_left = 1;
};

struct app_password {
    id16 id{};
    std::string name;                                 // "thunderbird"
    crypto::hash256 hash;                             // crypto::app_password_hash
    unix_ms created_at = 0, last_used_at = 0;         // last use is kept to the day
    // For SCRAM logins; nothing: of a password made before there were any, until its next login that shows it.
    std::optional<crypto::scram_keys> scram;
};

}  // namespace pp::storage

// What the IMAP machine asks the daemon, in the order of the states of RFC 9051 section 3; each question names the type
// of its answer. The machine owns syntax, sequence numbers and response texts; the daemon owns mailboxes and mails.
// Mailbox names are UTF-8 with "/" as delimiter; "INBOX" in capitals. Mailboxes and mails are named by numbers of the
// store that stay valid while the session lives.
#pragma once

#include "crypto/bytes.hpp"
#include "proto/mail/date.hpp"
#include "proto/mail/flags.hpp"
#include "proto/mail/message_index.hpp"
#include "proto/mail/uid_set.hpp"
#include "proto/sasl/scram.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pp::imap {

// How a command ends that the daemon refuses: NO [code] text. An empty code: none.
inline constexpr std::string_view damage_code = "CORRUPTION";   // RFC 5530 section 3
struct refusal {
    std::string code;      // RFC 9051 section 7.1 and RFC 5530: "TRYCREATE", "NONEXISTENT", "OVERQUOTA", ...
    std::string text;      // one plain sentence
    bool bye = false;      // the session ends with BYE (the store is going away)
    // What is asked for can never be read again. Of one mail of many: the others are given all the same, else nobody
    // would come past it.
    bool is_damage() const { return !bye && code == damage_code; }
    bool operator==(const refusal&) const = default;
};
struct nothing {
    bool operator==(const nothing&) const = default;
};
template <class T>
using outcome = std::variant<T, refusal>;

// ------------------------------------------------------------------ not authenticated
struct login {
    using answer_type = outcome<nothing>;
    std::string user, password;
    bool operator==(const login&) const = default;
};
struct start_tls {      // the OK has been queued: write it, do the handshake, then answer
    using answer_type = nothing;
    bool operator==(const start_tls&) const = default;
};

// ------------------------------------------------------------------ authenticated
enum class special_use : std::uint8_t { none, all, archive, drafts, flagged, junk, sent, trash };

struct mailbox_entry {
    std::string name;
    std::uint64_t mailbox = 0;
    special_use use = special_use::none;
    bool subscribed = false;
    bool exists = true;             // false: only subscribed, or only a parent (\NonExistent, \NoSelect)
    bool operator==(const mailbox_entry&) const = default;
};
struct list_mailboxes {              // all of them; the machine matches patterns and adds \HasChildren
    using answer_type = outcome<std::vector<mailbox_entry>>;
    bool operator==(const list_mailboxes&) const = default;
};
struct mailbox_status {
    std::uint64_t deleted_bytes = 0;               // of the mails with \Deleted; when asked for
    std::uint32_t messages = 0, unseen = 0, deleted = 0, recent = 0, uid_next = 1, uid_validity = 1;
    std::uint64_t highest_modseq = 1, size_bytes = 0, mailbox = 0;
    bool operator==(const mailbox_status&) const = default;
};
struct get_status {
    using answer_type = outcome<mailbox_status>;
    std::string name;
    bool with_deleted_bytes = false;
    bool operator==(const get_status&) const = default;
};
// NOTIFY (RFC 5465): all names as in list_mailboxes, each mailbox with its numbers (no statuses of names that do not
// exist).
struct surveyed_mailbox {
    mailbox_entry entry;
    mailbox_status status;
    bool operator==(const surveyed_mailbox&) const = default;
};
struct survey_mailboxes {
    using answer_type = outcome<std::vector<surveyed_mailbox>>;
    bool operator==(const survey_mailboxes&) const = default;
};
struct watch_account {               // while on, news() is called for every change of the account, not only of the
    using answer_type = nothing;     // selected mailbox
    bool on = false;
    bool operator==(const watch_account&) const = default;
};
struct create_mailbox {              // missing parents are created too (05 section 5.2.4: Outlook)
    using answer_type = outcome<std::uint64_t>;
    std::string name;
    special_use use = special_use::none;
    bool operator==(const create_mailbox&) const = default;
};
struct delete_mailbox {
    using answer_type = outcome<nothing>;
    std::string name;
    bool operator==(const delete_mailbox&) const = default;
};
struct rename_mailbox {              // with children; of INBOX: moves its mails (RFC 9051 section 6.3.6)
    using answer_type = outcome<nothing>;
    std::string from, to;
    bool operator==(const rename_mailbox&) const = default;
};
// RFC 9208: the one quota root "", of the whole account. A resource without limit has none to tell.
struct quota {
    std::uint64_t storage_used_bytes = 0, messages_used = 0;
    std::optional<std::uint64_t> storage_bytes_max, messages_max;
    bool operator==(const quota&) const = default;
};
struct get_quota {
    using answer_type = outcome<quota>;
    bool operator==(const get_quota&) const = default;
};
// RFC 5464: annotations of a mailbox; an empty name: of the account. Names in lower case, rising.
struct metadata_entry {
    std::string name;
    std::optional<std::string> value;          // nullopt: is not there, is to go
    bool operator==(const metadata_entry&) const = default;
};
struct get_metadata {
    using answer_type = outcome<std::vector<metadata_entry>>;
    std::string mailbox;
    bool operator==(const get_metadata&) const = default;
};
struct set_metadata {                          // all or none; "METADATA TOOMANY" when there is no room for more
    using answer_type = outcome<nothing>;
    std::string mailbox;
    std::vector<metadata_entry> entries;
    bool operator==(const set_metadata&) const = default;
};
// Entries that other sessions of the account have changed since the last time; the first time begins to watch.
struct metadata_change {
    std::string mailbox;                       // empty: of the account
    std::vector<std::string> entries;
    bool operator==(const metadata_change&) const = default;
};
struct poll_metadata {
    using answer_type = std::vector<metadata_change>;
    bool operator==(const poll_metadata&) const = default;
};
// RFC 4314: who is logged in, as access control lists name him. Fails for a mailbox that is not there.
struct get_owner {
    using answer_type = outcome<std::string>;
    std::string mailbox;
    bool operator==(const get_owner&) const = default;
};
struct subscribe_mailbox {
    using answer_type = outcome<nothing>;
    std::string name;
    bool subscribed = true;
    bool operator==(const subscribe_mailbox&) const = default;
};

struct opened_mailbox {
    std::string name;
    mailbox_status status;
    std::vector<std::uint32_t> uids;          // rising: number n is uids[n-1]
    std::uint32_t first_unseen = 0;           // sequence number, 0: none (rev1)
    mail::uid_set recent;                     // mails this session is the first to be told of (RFC 3501 section 2.3.2)
    std::vector<std::string> keywords;        // in use in this mailbox
    bool operator==(const opened_mailbox&) const = default;
};
struct open_mailbox {
    using answer_type = outcome<opened_mailbox>;
    std::string name;
    bool read_only = false;
    bool operator==(const open_mailbox&) const = default;
};

// ------------------------------------------------------------------ APPEND, REPLACE
struct append_begin {                // asked before each mail is read: too large, no mailbox, full disk, too many
    using answer_type = outcome<nothing>;
    std::string mailbox;             // the same for all mails of one command (RFC 3502)
    mail::flags flags;
    std::optional<mail::date_time> internal_date;
    std::uint64_t size_bytes = 0;    // 0: not known yet (CATENATE)
    std::optional<std::uint32_t> replaces;   // RFC 8508 section 3.4: its room counts as free
    bool operator==(const append_begin&) const = default;
};
struct append_chunk {                // at most 64 KiB; bytes exactly as sent
    using answer_type = nothing;
    bytes data;
    bool operator==(const append_chunk&) const = default;
};
// RFC 4469: a mail of this account that a URL names, in any mailbox; then its bytes.
struct found_mail {
    std::uint64_t mail = 0;          // the daemon's name for its bytes, for read_found
    std::shared_ptr<const mail::message_index> index;
    bool operator==(const found_mail&) const = default;
};
struct find_mail {
    using answer_type = outcome<found_mail>;
    std::string mailbox;
    std::optional<std::uint32_t> uid_validity;
    std::uint32_t uid = 0;
    bool operator==(const find_mail&) const = default;
};
// bytes [offset, offset + length), at most append_piece_bytes_max; short at the end
struct read_found {
    using answer_type = outcome<bytes>;
    std::uint64_t mail = 0;
    std::uint64_t offset = 0, length = 0;
    bool operator==(const read_found&) const = default;
};
struct appended {
    std::uint32_t uid_validity = 0;
    std::vector<std::uint32_t> uids;             // in the order of the mails
    bool operator==(const appended&) const = default;
};
// all mails since the first append_begin or none; durable when answered
struct append_end {
    using answer_type = outcome<appended>;
    std::optional<std::uint32_t> replaces;       // RFC 8508: this one of the selected mailbox goes in the same moment
    bool operator==(const append_end&) const = default;
};
// Several APPENDs of one client under way at once: what append_end does in one step, begun by the one and ended by the
// other, in the same order. The commits of all of them share their syncs.
struct append_submit {               // the mails of the command are complete
    using answer_type = nothing;
    bool operator==(const append_submit&) const = default;
};
struct append_wait {                 // for the oldest one that is submitted
    using answer_type = outcome<appended>;
    bool operator==(const append_wait&) const = default;
};
struct append_abort {                            // of all of them
    using answer_type = nothing;
    bool operator==(const append_abort&) const = default;
};

// ------------------------------------------------------------------ selected
// All of these speak of the selected mailbox; the daemon knows which it is. Unknown UIDs are passed over.
struct message_row {
    std::uint32_t uid = 0;
    std::uint64_t modseq = 1;
    mail::flags flags;
    mail::date_time internal_date, save_date;
    std::uint64_t size_bytes = 0;
    std::string email_id, thread_id;                          // RFC 8474
    std::shared_ptr<const mail::message_index> index;         // set when asked for
    bytes encoded_index;                                      // index->encode(), set when asked for
    bytes structure;                                          // BODYSTRUCTURE as it is written, when asked for and kept
    std::string header;                                       // the mail's header block, when asked for
    bool header_is_listed = false;                            // of the header, the fields of mail::is_listed_field only
    bool left_out = false;                                    // header and structure asked for are not here: ask again
    bool operator==(const message_row&) const = default;
};
inline constexpr std::size_t rows_per_question_max = 256;     // a store transaction is never held longer
// Headers and structures of one answer: rows behind so much are left out. A row whose mail somebody has made large on
// purpose takes megabytes, and it is held while the client, who may never read, is waited for.
inline constexpr std::size_t rows_bytes_enough = 256 * 1024;
struct read_rows {
    using answer_type = outcome<std::vector<message_row>>;    // rising UIDs; expunged ones are missing
    mail::uid_set uids;
    std::uint64_t mailbox = 0;                                // 0: the selected one
    bool with_index = false, with_header = false;
    bool with_thread = true;                                  // false: thread_id is not needed
    bool with_encoded_index = false;                          // enough for ENVELOPE, BODY and BODYSTRUCTURE
    bool with_structure = false;                              // BODYSTRUCTURE; where it is not kept, encoded_index
    bool listed_header = false;                               // with_header: listed fields are enough
    std::optional<std::uint64_t> changed_since;               // only rows with a greater modseq
    bool operator==(const read_rows&) const = default;
};
// Takes the rows that were left out off the end of an answer: the UID to go on with. Never the first one is left out.
inline std::optional<std::uint32_t> drop_left_out(std::vector<message_row>& rows) {
    const auto first = std::find_if(rows.begin(), rows.end(), [](const auto& row) { return row.left_out; });
    if (first == rows.end()) return std::nullopt;
    const auto uid = first->uid;
    rows.erase(first, rows.end());
    return uid;
}
// What SEARCH, SORT and THREAD compare, of as many of `uids` as fit one answer:
// every mail up to `through` that is there.
class search_fields;                                          // proto/imap/search/search_fields.hpp
struct search_row {
    std::uint32_t uid = 0;
    std::shared_ptr<const search_fields> fields;              // never null
    bool operator==(const search_row&) const = default;
};
struct search_rows {
    std::vector<search_row> rows;                             // rising UIDs; expunged ones are missing
    // the greatest UID looked at; at least the first asked for
    std::uint32_t through = 0;
    bool operator==(const search_rows&) const = default;
};
inline constexpr std::size_t search_rows_per_question_max = 4096;
struct read_search_fields {
    using answer_type = outcome<search_rows>;
    std::uint64_t mailbox = 0;                                // 0: the selected one
    mail::uid_set uids;
    bool operator==(const read_search_fields&) const = default;
};
// Bytes [offset, offset + length) of the mail, at most body_piece_bytes_max; short only at the mail's end.
inline constexpr std::size_t body_piece_bytes_max = 256 * 1024;
struct read_body {
    using answer_type = outcome<bytes>;
    std::uint32_t uid = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::uint64_t mailbox = 0;                                // 0: the selected one
    // The first piece of a literal that ends here: it may still be refused for what is known of the others. 0: none.
    std::uint64_t literal_end = 0;
    bool operator==(const read_body&) const = default;
};

// Which mails of a mailbox may hold a string? Asked once per search, of the full-text index. An index that
// knows nothing says nothing: the answer only ever spares reading, what is left is looked at.
enum class needle_place : std::uint8_t { body, anywhere, field };   // keys BODY, TEXT, HEADER (RFC 9051 section 6.4.4)
struct text_needle {
    needle_place place = needle_place::anywhere;
    std::string field;                        // of place field: the header field's name
    std::string folded;                       // not empty; search_text.hpp, fold_text
    bool operator==(const text_needle&) const = default;
};
struct search_candidates {
    std::uint32_t before_uid = 0;             // nothing is said of mails from this UID on
    std::vector<std::optional<mail::uid_set>> mails;   // by needle: no other mail matches; nullopt: any may
    bool operator==(const search_candidates&) const = default;
};
// a person types a few; further ones are looked for by reading
inline constexpr std::size_t needles_per_question_max = 64;
struct find_candidates {
    using answer_type = outcome<search_candidates>;
    std::uint64_t mailbox = 0;                // 0: the selected one
    std::vector<text_needle> needles;
    bool operator==(const find_candidates&) const = default;
};

enum class store_mode : std::uint8_t { replace, add, remove };
struct stored_flags {
    std::vector<message_row> rows;         // changed or not, with their new flags and modseq; no index
    mail::uid_set modified;                // refused by unchanged_since (RFC 7162)
    // UID and mod-sequence before the change, of those that had a greater one than known_modseq.
    std::vector<std::pair<std::uint32_t, std::uint64_t>> before;
    // When nothing but this change lies behind known_modseq: the mailbox's mod-sequence, up to which the session knows
    // all now and need not ask.
    std::optional<std::uint64_t> known_to;
    bool operator==(const stored_flags&) const = default;
};
struct store_flags {
    using answer_type = outcome<stored_flags>;
    mail::uid_set uids;
    store_mode mode = store_mode::replace;
    mail::flags flags;
    std::optional<std::uint64_t> unchanged_since;
    std::optional<std::uint64_t> known_modseq;   // name those that have changed since, in stored_flags::before
    bool operator==(const store_flags&) const = default;
};
struct copied {
    std::uint32_t uid_validity = 0;
    std::vector<std::uint32_t> from, to;   // pairs, rising in from
    bool operator==(const copied&) const = default;
};
struct copy_messages {                     // all or none; move: also gone from here, in one transaction
    using answer_type = outcome<copied>;
    mail::uid_set uids;
    std::string to;
    bool move = false;
    bool operator==(const copy_messages&) const = default;
};
struct expunge_messages {                  // those with \Deleted; uids limits them (UID EXPUNGE), nullopt: all
    using answer_type = outcome<mail::uid_set>;
    std::optional<mail::uid_set> uids;
    bool operator==(const expunge_messages&) const = default;
};

// What has happened to the selected mailbox since the last time; asked by the machine when it may tell the client.
struct mailbox_delta {
    mail::uid_set vanished;
    std::vector<std::uint32_t> added;              // rising
    mail::uid_set recent;                          // as in opened_mailbox: what of the added ones is \Recent here
    std::vector<message_row> changed;              // flags; not the added ones
    std::uint64_t highest_modseq = 1;
    // deleted: the session is told and closed (RFC 9051 section 7.1, BYE)
    bool gone = false;
    bool operator==(const mailbox_delta&) const = default;
};
struct poll_changes {
    using answer_type = outcome<mailbox_delta>;
    std::uint64_t since_modseq = 0;
    bool operator==(const poll_changes&) const = default;
};
// What has happened to the selected mailbox since some earlier session (RFC 7162 section 3.2.5.1): UIDs that went, and
// UIDs of mails that are there and have a greater mod-sequence. More may be named as gone than went since then.
struct mailbox_history {
    mail::uid_set vanished, changed;
    bool operator==(const mailbox_history&) const = default;
};
struct read_history {
    using answer_type = outcome<mailbox_history>;
    std::uint64_t since_modseq = 0;
    bool operator==(const read_history&) const = default;
};
struct close_mailbox {                             // UNSELECT, CLOSE (after its expunge), SELECT of another, LOGOUT
    using answer_type = nothing;
    bool operator==(const close_mailbox&) const = default;
};
// What is in a mailbox, without selecting it (RFC 7377): the list of its mails as it is now.
struct look_into_mailbox {
    using answer_type = outcome<opened_mailbox>;              // name, UIDVALIDITY, mailbox and uids
    std::string name;
    bool operator==(const look_into_mailbox&) const = default;
};
// The time of day, as seconds since 1970 (RFC 5032).
struct read_clock {
    using answer_type = outcome<std::uint64_t>;
    bool operator==(const read_clock&) const = default;
};
// A command that neither asks nor writes has done much: the others of this thread may go on before the answer.
struct let_others_run {
    using answer_type = nothing;
    bool operator==(const let_others_run&) const = default;
};
struct start_compression {                         // RFC 4978; the OK has been queued: write it, then answer
    using answer_type = nothing;
    bool operator==(const start_compression&) const = default;
};
// AUTHENTICATE SCRAM-SHA-256 asks sasl::scram_begin and sasl::scram_proof (proto/sasl/scram.hpp) instead of login.
// Any state: what the client called itself (ID), for the log.
struct client_id {
    using answer_type = nothing;
    std::string name, version;
    bool operator==(const client_id&) const = default;
};

using event =
    std::variant<login, start_tls, list_mailboxes, get_status, create_mailbox, delete_mailbox, rename_mailbox,
                 subscribe_mailbox, open_mailbox, append_begin, append_chunk, find_mail, read_found, append_end,
                 append_submit, append_wait, append_abort, get_quota, get_metadata, set_metadata, poll_metadata,
                 get_owner, start_compression, read_rows, read_search_fields, read_body, find_candidates, store_flags,
                 copy_messages, expunge_messages, poll_changes, read_history, close_mailbox, look_into_mailbox,
                 read_clock, let_others_run, client_id, survey_mailboxes, watch_account, sasl::scram_begin,
                 sasl::scram_proof>;
using verdict =
    std::variant<nothing, outcome<nothing>, outcome<std::vector<mailbox_entry>>, outcome<mailbox_status>,
                 outcome<std::uint64_t>, outcome<opened_mailbox>, outcome<appended>, outcome<std::vector<message_row>>,
                 outcome<search_rows>, outcome<bytes>, outcome<search_candidates>, outcome<stored_flags>,
                 outcome<copied>, outcome<mail::uid_set>, outcome<mailbox_delta>, outcome<mailbox_history>,
                 outcome<std::vector<surveyed_mailbox>>, outcome<found_mail>, outcome<quota>,
                 outcome<std::vector<metadata_entry>>, std::vector<metadata_change>, outcome<std::string>,
                 sasl::scram_terms, sasl::scram_verdict>;

}  // namespace pp::imap

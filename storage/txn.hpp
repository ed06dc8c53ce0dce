// Reading and changing one account's store. Every change is an operation that is put into the log and applied to the
// view by the same code that replays it after a crash (storage/operation.hpp).
#pragma once

#include "storage/account_store.hpp"

namespace pp::storage {

// A snapshot. Lookups return nullopt for what is not there; a row that does not authenticate is errc::damaged.
class read_txn {
public:
    virtual ~read_txn() = default;

    virtual result<std::vector<mailbox>> mailboxes() const = 0;                       // by name
    virtual result<std::optional<mailbox>> find_mailbox(std::string_view name) const = 0;
    virtual result<std::optional<mailbox>> get_mailbox(mailbox_id id) const = 0;
    virtual result<std::vector<std::string>> subscriptions_without_mailbox() const = 0;
    virtual result<std::vector<std::string>> keywords(mailbox_id id) const = 0;       // in use, case of first use

    // Messages of a box in rising UID order, from uid_from on, at most limit.
    virtual result<std::vector<message>> messages(mailbox_id id, std::uint32_t uid_from, std::size_t limit) const = 0;
    virtual result<std::vector<std::uint32_t>> uids(mailbox_id id) const = 0;         // keys only: no row is decrypted
    virtual result<std::optional<std::uint32_t>> first_unseen(mailbox_id id) const = 0;   // UID
    virtual result<std::optional<message>> get_message(mailbox_id id, std::uint32_t uid) const = 0;
    // Changes since a modseq: rows with a greater modseq (rising modseq), and UIDs that went.
    struct changes {
        std::vector<message> changed;
        mail::uid_set vanished;
        std::uint64_t highest_modseq = 0;
        bool more = false;                       // limit reached: ask again from the last changed row's modseq
    };
    virtual result<changes> changes_since(mailbox_id id, std::uint64_t modseq, std::size_t limit) const = 0;
    // The same of what is there, {UID, modseq} in rising modseq: keys only, no row is decrypted.
    virtual result<std::vector<std::pair<std::uint32_t, std::uint64_t>>> changed_since(mailbox_id id,
                                                                                       std::uint64_t modseq) const = 0;
    virtual result<std::shared_ptr<const mail::message_index>> index_of(std::uint64_t mail_serial) const = 0;
    virtual result<mail::envelope> envelope_of(std::uint64_t mail_serial) const = 0;   // mail::decode_own_envelope
    // The same as it is kept: message_index::encode(), for those who read it once.
    virtual result<bytes> encoded_index(std::uint64_t mail_serial) const = 0;
    // The lines of the fields that mail::is_listed_field names, and a blank line; nullopt: read the mail.
    virtual result<std::optional<bytes>> listed_header(std::uint64_t mail_serial) const = 0;
    // mail::append_body_structure(extended), when it is the same with UTF8=ACCEPT and without; nullopt: make it of the
    // index.
    virtual result<std::optional<bytes>> structure_text(std::uint64_t mail_serial) const = 0;
    // Newest placement in a mailbox by Message-ID since a moment (the Sent rule, 01-product 1.4).
    virtual result<std::optional<message>> find_by_message_id(mailbox_id id, std::string_view message_id,
                                                              unix_ms since) const = 0;

    virtual result<std::vector<outbox_row>> outbox(bool open_only) const = 0;         // oldest first
    virtual result<std::optional<outbox_row>> get_outbox(const id16& id) const = 0;
    // Each of these reads only the rows it answers with, however many there are.
    virtual result<std::optional<outbox_row>> outbox_of_notification(const id16& notification) const = 0;
    virtual result<std::vector<outbox_row>> outbox_of_mail(std::uint64_t mail_serial) const = 0;   // finished ones too
    virtual result<bool> is_mail_open_to(const crypto::account_key& account) const = 0;
    virtual result<std::optional<std::uint64_t>> mail_of_blob(const crypto::blob_id& blob) const = 0;   // its serial
    virtual result<std::vector<id16>> open_outbox_ids() const = 0;                    // keys only: no row is decrypted
    virtual result<std::vector<inbound_row>> inbound() const = 0;                     // oldest first
    virtual result<std::optional<inbound_row>> get_inbound(const id16& notification) const = 0;
    virtual result<std::size_t> count_inbound(std::size_t most) const = 0;            // counts no further
    // Placement made from this notification of this sender, if it was ever delivered (bounded by seen_rows_max).
    virtual result<bool> notification_seen(const crypto::account_key& sender, const id16& notification) const = 0;
    virtual result<std::vector<contact>> contacts() const = 0;
    virtual result<std::optional<contact>> get_contact(const crypto::account_key& account) const = 0;
    virtual result<std::optional<invite>> get_invite(const id16& token) const = 0;
    virtual result<std::vector<app_password>> passwords() const = 0;
    virtual result<std::optional<bytes>> setting(std::string_view name) const = 0;    // small values of other boxes
    virtual result<std::uint64_t> blob_bytes() const = 0;                             // all blobs, for QUOTA and status
    // RFC 5464: annotations of a mailbox, or of the account (no_mailbox), by name.
    virtual result<std::vector<annotation>> metadata(mailbox_id box) const = 0;
    // RFC 8474: the serial of the first mail of the thread this mail is in. Never changes.
    virtual result<std::uint64_t> thread_of(std::uint64_t mail_serial) const = 0;
};

struct new_mail {
    mailbox_id box = 0;
    mail::flags flags;
    mail::date_time internal_date;
    std::string message_id;              // for the Sent rule and threads; may be empty
};
struct placed {
    std::uint32_t uid = 0, uid_validity = 0;
    std::uint64_t modseq = 0, mail_serial = 0;
};

// What a transaction has changed for delivery: the rows put or erased, and whether contacts were.
struct delivery_changes {
    std::vector<id16> outbox;            // ids
    std::vector<id16> inbound;           // notifications
    bool people = false;
    bool all = false;                    // any row may be another: the store was healed
    bool empty() const { return outbox.empty() && inbound.empty() && !people && !all; }
};

// Inside a job of account_store::write. Also a read_txn: it sees its own changes.
class write_txn : public read_txn {
public:
    // Mailboxes. Names: 1 to mailbox_name_bytes_max bytes of UTF-8, no empty level, no control characters.
    // With missing parents. Not subscribed: RFC 9051 section 6.3.4 says nothing of it, clients that want it say
    // SUBSCRIBE, as Thunderbird does, and others would find names in LSUB that their user never asked for.
    virtual result<mailbox_id> create_mailbox(std::string_view name, special_use use) = 0;
    virtual result<void> rename_mailbox(std::string_view from, std::string_view to) = 0;     // with children
    virtual result<void> delete_mailbox(std::string_view name) = 0;
    virtual result<void> set_subscribed(std::string_view name, bool on) = 0;
    // first recent UID; the next asks gets none of these
    virtual result<std::uint32_t> claim_recent(mailbox_id id) = 0;

    // Mails. The blob must be finished; it is taken (its file is kept) only when the group commits.
    virtual result<placed> add_mail(const new_mail& what, blob_writer& blob) = 0;
    virtual result<placed> add_copy(const new_mail& what, std::uint64_t mail_serial) = 0;    // same blob, new placement
    enum class flag_change { replace, add, remove };
    // Rows as they are afterwards. With unchanged_since: rows changed later are left alone and reported (RFC 7162).
    virtual result<std::vector<message>> change_flags(mailbox_id id, const mail::uid_set& uids, flag_change how,
                                                      const mail::flags& what,
                                                      std::optional<std::uint64_t> unchanged_since,
                                                      mail::uid_set& refused) = 0;
    // Pairs old UID, new UID in rising order. move: the old ones vanish in the same transaction.
    virtual result<std::vector<std::pair<std::uint32_t, std::uint32_t>>> copy(mailbox_id from,
                                                                              const mail::uid_set& uids, mailbox_id to,
                                                                              bool move) = 0;
    // Removes those of uids (nullopt: of all) that carry \Deleted; returns what went.
    virtual result<mail::uid_set> expunge(mailbox_id id, const std::optional<mail::uid_set>& uids) = 0;

    // Delivery and people. put = insert or replace by id.
    virtual result<void> put_outbox(const outbox_row& row) = 0;
    virtual result<void> erase_outbox(const id16& id) = 0;
    virtual result<void> put_inbound(const inbound_row& row) = 0;
    virtual result<void> erase_inbound(const id16& notification) = 0;
    virtual result<void> mark_notification_seen(const crypto::account_key& sender, const id16& notification) = 0;
    virtual result<void> put_contact(const contact& c) = 0;
    virtual result<void> erase_contact(const crypto::account_key& account) = 0;
    virtual result<void> put_invite(const invite& i) = 0;
    virtual result<void> erase_invite(const id16& token) = 0;
    virtual result<void> put_password(const app_password& p) = 0;
    virtual result<void> erase_password(const id16& id) = 0;
    virtual result<void> put_setting(std::string_view name, bytes_view value) = 0;
    // nullopt: the entry goes. errc::limit: too many entries; errc::too_large; errc::no_such_mailbox.
    virtual result<void> set_metadata(mailbox_id box, std::string_view entry, std::optional<bytes_view> value) = 0;

    // Mailboxes this transaction has changed so far: for the change bus.
    virtual std::vector<mailbox_id> touched() const = 0;
    // For the courier, in the order they were changed; an id may stand there twice.
    virtual const delivery_changes& delivery_touched() const = 0;
};

}  // namespace pp::storage

// The questions of read_txn, answered from the view's rows; and the class that puts them behind that interface, for
// snapshots and for jobs alike.
#pragma once

#include "storage/txn.hpp"
#include "storage/view.hpp"

namespace pp::storage {

// Each answers the question of read_txn of its name (storage/txn.hpp), with its errors.
namespace queries {
result<std::vector<mailbox>> mailboxes(const rows& r);
result<std::optional<mailbox>> find_mailbox(const rows& r, std::string_view name);
result<std::optional<mailbox>> get_mailbox(const rows& r, mailbox_id id);
result<std::vector<std::string>> subscriptions_without_mailbox(const rows& r);
result<std::vector<std::string>> keywords(const rows& r, mailbox_id id);
result<std::vector<message>> messages(const rows& r, mailbox_id id, std::uint32_t uid_from, std::size_t limit);
result<std::vector<std::uint32_t>> uids(const rows& r, mailbox_id id);
result<std::optional<std::uint32_t>> first_unseen(const rows& r, mailbox_id id);
result<std::optional<message>> get_message(const rows& r, mailbox_id id, std::uint32_t uid);
result<read_txn::changes> changes_since(const rows& r, mailbox_id id, std::uint64_t modseq, std::size_t limit);
result<std::vector<std::pair<std::uint32_t, std::uint64_t>>> changed_since(const rows& r, mailbox_id id,
                                                                           std::uint64_t modseq);
result<std::shared_ptr<const mail::message_index>> index_of(const rows& r, std::uint64_t serial);
result<mail::envelope> envelope_of(const rows& r, std::uint64_t serial);
result<bytes> encoded_index(const rows& r, std::uint64_t serial);
result<std::optional<bytes>> listed_header(const rows& r, std::uint64_t serial);
result<std::optional<bytes>> structure_text(const rows& r, std::uint64_t serial);
result<std::optional<message>> find_by_message_id(const rows& r, mailbox_id id, std::string_view message_id,
                                                  unix_ms since);
result<std::vector<outbox_row>> outbox(const rows& r, bool open_only);
result<std::vector<id16>> open_outbox_ids(const rows& r);
// The rows that keys of table out_ref with this beginning lead to (view::outbox_by_...), and whether there is one.
result<std::vector<outbox_row>> outbox_led_to(const rows& r, const row_name& prefix);
result<bool> leads_to_outbox(const rows& r, const row_name& prefix);
result<std::vector<inbound_row>> inbound(const rows& r);
result<std::optional<inbound_row>> get_inbound(const rows& r, const id16& notification);
result<std::size_t> count_inbound(const rows& r, std::size_t most);
result<bool> notification_seen(const rows& r, const crypto::account_key& sender, const id16& notification);
result<std::vector<contact>> contacts(const rows& r);
result<std::optional<contact>> get_contact(const rows& r, const crypto::account_key& account);
result<std::optional<invite>> get_invite(const rows& r, const id16& token);
result<std::vector<app_password>> passwords(const rows& r);
result<std::optional<bytes>> setting(const rows& r, std::string_view name);
result<std::uint64_t> blob_bytes(const rows& r);
result<std::vector<annotation>> metadata(const rows& r, mailbox_id box);
}  // namespace queries

// "inbox" and "INBOX/x" become "INBOX" and "INBOX/x" (RFC 9051 section 5.1: INBOX has no case).
std::string canonical_name(std::string_view name);

// Base is read_txn or write_txn.
template <class Base>
class answering : public Base {
public:
    explicit answering(rows r) : rows_(r) {}

    result<std::vector<mailbox>> mailboxes() const override { return queries::mailboxes(rows_); }
    result<std::optional<mailbox>> find_mailbox(std::string_view name) const override {
        return queries::find_mailbox(rows_, name);
    }
    result<std::optional<mailbox>> get_mailbox(mailbox_id id) const override { return queries::get_mailbox(rows_, id); }
    result<std::vector<std::string>> subscriptions_without_mailbox() const override {
        return queries::subscriptions_without_mailbox(rows_);
    }
    result<std::vector<std::string>> keywords(mailbox_id id) const override { return queries::keywords(rows_, id); }
    result<std::vector<message>> messages(mailbox_id id, std::uint32_t uid_from, std::size_t limit) const override {
        return queries::messages(rows_, id, uid_from, limit);
    }
    result<std::vector<std::uint32_t>> uids(mailbox_id id) const override { return queries::uids(rows_, id); }
    result<std::optional<std::uint32_t>> first_unseen(mailbox_id id) const override {
        return queries::first_unseen(rows_, id);
    }
    result<std::optional<message>> get_message(mailbox_id id, std::uint32_t uid) const override {
        return queries::get_message(rows_, id, uid);
    }
    result<read_txn::changes> changes_since(mailbox_id id, std::uint64_t modseq, std::size_t limit) const override {
        return queries::changes_since(rows_, id, modseq, limit);
    }
    result<std::vector<std::pair<std::uint32_t, std::uint64_t>>> changed_since(mailbox_id id,
                                                                               std::uint64_t modseq) const override {
        return queries::changed_since(rows_, id, modseq);
    }
    result<std::shared_ptr<const mail::message_index>> index_of(std::uint64_t serial) const override {
        return queries::index_of(rows_, serial);
    }
    result<mail::envelope> envelope_of(std::uint64_t serial) const override {
        return queries::envelope_of(rows_, serial);
    }
    result<bytes> encoded_index(std::uint64_t serial) const override { return queries::encoded_index(rows_, serial); }
    result<std::optional<bytes>> listed_header(std::uint64_t serial) const override {
        return queries::listed_header(rows_, serial);
    }
    result<std::optional<bytes>> structure_text(std::uint64_t serial) const override {
        return queries::structure_text(rows_, serial);
    }
    result<std::optional<message>> find_by_message_id(mailbox_id id, std::string_view message_id,
                                                      unix_ms since) const override {
        return queries::find_by_message_id(rows_, id, message_id, since);
    }
    result<std::vector<outbox_row>> outbox(bool open_only) const override { return queries::outbox(rows_, open_only); }
    result<std::optional<outbox_row>> get_outbox(const id16& id) const override { return view::load_outbox(rows_, id); }
    result<std::vector<id16>> open_outbox_ids() const override { return queries::open_outbox_ids(rows_); }
    result<std::optional<outbox_row>> outbox_of_notification(const id16& notification) const override {
        auto found = queries::outbox_led_to(rows_, view::outbox_by_notification(rows_, notification));
        if (!found) return found.error();
        return found->empty() ? std::optional<outbox_row>() : std::optional(std::move(found->front()));
    }
    result<std::vector<outbox_row>> outbox_of_mail(std::uint64_t serial) const override {
        return queries::outbox_led_to(rows_, view::outbox_by_mail(serial));
    }
    result<bool> is_mail_open_to(const crypto::account_key& account) const override {
        return queries::leads_to_outbox(rows_, view::outbox_by_recipient(rows_, account));
    }
    result<std::optional<std::uint64_t>> mail_of_blob(const crypto::blob_id& blob) const override {
        return view::serial_of(rows_, blob);
    }
    result<std::vector<inbound_row>> inbound() const override { return queries::inbound(rows_); }
    result<std::optional<inbound_row>> get_inbound(const id16& notification) const override {
        return queries::get_inbound(rows_, notification);
    }
    result<std::size_t> count_inbound(std::size_t most) const override { return queries::count_inbound(rows_, most); }
    result<bool> notification_seen(const crypto::account_key& sender, const id16& notification) const override {
        return queries::notification_seen(rows_, sender, notification);
    }
    result<std::vector<contact>> contacts() const override { return queries::contacts(rows_); }
    result<std::optional<contact>> get_contact(const crypto::account_key& account) const override {
        return queries::get_contact(rows_, account);
    }
    result<std::optional<invite>> get_invite(const id16& token) const override {
        return queries::get_invite(rows_, token);
    }
    result<std::vector<app_password>> passwords() const override { return queries::passwords(rows_); }
    result<std::optional<bytes>> setting(std::string_view name) const override { return queries::setting(rows_, name); }
    result<std::uint64_t> blob_bytes() const override { return queries::blob_bytes(rows_); }
    result<std::vector<annotation>> metadata(mailbox_id box) const override { return queries::metadata(rows_, box); }
    result<std::uint64_t> thread_of(std::uint64_t serial) const override { return view::thread_of(rows_, serial); }

protected:
    rows rows_;
};

}  // namespace pp::storage

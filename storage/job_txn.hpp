// One job of a group: its operations are applied as they come and become one sealed entry when it succeeds. The parts
// are in mailbox_ops.cpp, message_ops.cpp, annotation_ops.cpp, people_ops.cpp.
#pragma once

#include "storage/apply.hpp"
#include "storage/blob_files.hpp"
#include "storage/group_builder.hpp"
#include "storage/queries.hpp"

#include <set>

namespace pp::storage {

class job_txn final : public answering<write_txn> {
public:
    job_txn(rows r, group_builder& group, const crypto::row_key& shred_key)
        : answering(r), group_(group), context_{rows_, shred_key, &unreferenced_, &cleared_} {}

    result<mailbox_id> create_mailbox(std::string_view name, special_use use) override;
    result<void> rename_mailbox(std::string_view from, std::string_view to) override;
    result<void> delete_mailbox(std::string_view name) override;
    result<void> set_subscribed(std::string_view name, bool on) override;
    result<std::uint32_t> claim_recent(mailbox_id id) override;

    result<placed> add_mail(const new_mail& what, blob_writer& blob) override;
    result<placed> add_copy(const new_mail& what, std::uint64_t mail_serial) override;
    result<std::vector<message>> change_flags(mailbox_id id, const mail::uid_set& uids, flag_change how,
                                              const mail::flags& what, std::optional<std::uint64_t> unchanged_since,
                                              mail::uid_set& refused) override;
    result<std::vector<std::pair<std::uint32_t, std::uint32_t>>> copy(mailbox_id from, const mail::uid_set& uids,
                                                                      mailbox_id to, bool move) override;
    result<mail::uid_set> expunge(mailbox_id id, const std::optional<mail::uid_set>& uids) override;

    result<void> put_outbox(const outbox_row& row) override;
    result<void> erase_outbox(const id16& id) override;
    result<void> put_inbound(const inbound_row& row) override;
    result<void> erase_inbound(const id16& notification) override;
    result<void> mark_notification_seen(const crypto::account_key& sender, const id16& notification) override;
    result<void> put_contact(const contact& c) override;
    result<void> erase_contact(const crypto::account_key& account) override;
    result<void> put_invite(const invite& i) override;
    result<void> erase_invite(const id16& token) override;
    result<void> put_password(const app_password& p) override;
    result<void> erase_password(const id16& id) override;
    result<void> put_setting(std::string_view name, bytes_view value) override;
    result<void> set_metadata(mailbox_id box, std::string_view entry, std::optional<bytes_view> value) override;

    std::vector<mailbox_id> touched() const override { return {touched_.begin(), touched_.end()}; }
    const delivery_changes& delivery_touched() const override { return delivery_; }

    // Ends a job that returned success: logs the blobs nothing refers to any more, seals the entry.
    result<void> finish();
    const std::vector<blob_writer::state*>& used() const { return used_; }
    const std::vector<crypto::blob_id>& cleared() const { return cleared_; }

private:
    // Applies and keeps for the entry. An error here leaves the view half changed, so the whole job must fail, even
    // when it goes on and returns success.
    result<void> record(operation o);
    result<void> make_mailbox(const std::string& name, special_use use, mailbox_id& id);
    result<void> make_parents(const std::string& name);
    result<bool> subscribed_without_mailbox(const std::string& name);
    result<bool> has_children(const std::string& name) const;
    result<placed> place(const new_mail& what, std::uint64_t serial, std::uint64_t size_bytes);
    result<void> join_thread(std::uint64_t serial, const mail::envelope& of);
    result<std::vector<message_row>> rows_of(mailbox_id id, const mail::uid_set& uids) const;

    group_builder& group_;
    std::vector<std::uint64_t> unreferenced_;
    std::vector<crypto::blob_id> cleared_;
    apply_context context_;
    bytes operations_;
    std::set<mailbox_id> touched_;
    delivery_changes delivery_;
    std::vector<blob_writer::state*> used_;
    error_code broken_;
};

std::int64_t wall_clock_ms();

}  // namespace pp::storage

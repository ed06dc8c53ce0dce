// Delivery and people of a job: rows that are put and erased by their id.
#include "storage/attempt.hpp"
#include "storage/job_txn.hpp"
#include "storage/records_codec.hpp"

namespace pp::storage {

namespace {
template <class T>
result<void> fits(const T& row) {
    if (encode_whole(row).size() > row_bytes_max) return errc::limit;
    return {};
}
}  // namespace

result<void> job_txn::put_outbox(const outbox_row& row) {
    PP_TRY(fits(row));
    if (view::holds_blob(row)) {
        PP_LET(const auto b, view::load_blob(rows_, row.mail_serial));
        if (!b) return errc::not_found;
    }
    delivery_.outbox.push_back(row.id);
    return record(op::put_outbox{row});
}
result<void> job_txn::erase_outbox(const id16& id) {
    PP_LET(const auto there, view::load_outbox(rows_, id));
    if (!there) return {};
    delivery_.outbox.push_back(id);
    return record(op::erase_outbox{id});
}
result<void> job_txn::put_inbound(const inbound_row& row) {
    PP_TRY(fits(row));
    delivery_.inbound.push_back(row.notification);
    return record(op::put_inbound{row});
}
result<void> job_txn::erase_inbound(const id16& notification) {
    delivery_.inbound.push_back(notification);
    return record(op::erase_inbound{notification});
}
result<void> job_txn::mark_notification_seen(const crypto::account_key& sender, const id16& notification) {
    PP_LET(const bool seen, notification_seen(sender, notification));
    if (seen) return {};
    return record(op::mark_seen{sender, notification});
}
result<void> job_txn::put_contact(const contact& c) {
    PP_TRY(fits(c));
    delivery_.people = true;
    return record(op::put_contact{c});
}
result<void> job_txn::erase_contact(const crypto::account_key& account) {
    delivery_.people = true;
    return record(op::erase_contact{account});
}
result<void> job_txn::put_invite(const invite& i) { return record(op::put_invite{i}); }
result<void> job_txn::erase_invite(const id16& token) { return record(op::erase_invite{token}); }
result<void> job_txn::put_password(const app_password& p) {
    PP_TRY(fits(p));
    return record(op::put_password{p});
}
result<void> job_txn::erase_password(const id16& id) { return record(op::erase_password{id}); }
result<void> job_txn::put_setting(std::string_view name, bytes_view value) {
    if (name.empty() || name.size() > setting_name_bytes_max || value.size() > setting_bytes_max) return errc::limit;
    return record(op::put_setting{std::string(name), to_bytes(value)});
}

}  // namespace pp::storage

#include "daemon/services/standard_mailboxes.hpp"

namespace pp::services {

result<storage::mailbox_id> standard_mailbox(storage::write_txn& txn, storage::special_use use, std::string_view name) {
    if (use != storage::special_use::none) {
        auto all = txn.mailboxes();
        if (!all) return all.error();
        for (const auto& box : *all)
            if (box.use == use) return box.id;
    }
    auto named = txn.find_mailbox(name);
    if (!named) return named.error();
    if (*named) return (*named)->id;
    auto made = txn.create_mailbox(name, use);
    if (!made) return made;
    if (auto shown = txn.set_subscribed(name, true); !shown) return shown.error();
    return made;
}

result<void> file_in_inbox(storage::write_txn& txn, storage::blob_writer& mail, std::int64_t now_s) {
    auto inbox = standard_mailbox(txn, storage::special_use::none, inbox_name);
    if (!inbox) return inbox.error();
    storage::new_mail what;
    what.box = *inbox;
    what.internal_date = {now_s, 0};
    auto placed = txn.add_mail(what, mail);
    if (!placed) return placed.error();
    return {};
}

result<void> remove_mail(storage::write_txn& txn, storage::mailbox_id box, std::uint32_t uid) {
    const auto one = mail::uid_set::of(uid, uid);
    mail::flags deleted;
    deleted.system = mail::deleted;
    mail::uid_set refused;
    auto marked = txn.change_flags(box, one, storage::write_txn::flag_change::add, deleted, std::nullopt, refused);
    if (!marked) return marked.error();
    if (marked->empty()) return storage::errc::not_found;
    auto gone = txn.expunge(box, one);
    if (!gone) return gone.error();
    return {};
}

}  // namespace pp::services

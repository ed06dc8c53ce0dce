// Mailboxes of a job: names, special use, UIDVALIDITY (RFC 9051 sections 6.3.4 to 6.3.7), and the end of a job.
#include "proto/mail/charset.hpp"
#include "storage/attempt.hpp"
#include "storage/job_txn.hpp"

#include <algorithm>
#include <chrono>

namespace pp::storage {

std::int64_t wall_clock_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

result<void> job_txn::record(operation o) {
    if (broken_) return broken_;
    if (const auto done = apply_operation(o, context_); !done) {
        broken_ = done.error();
        return broken_;
    }
    encode_operation(o, operations_);
    if (operations_.size() > entry_bytes_max) broken_ = errc::limit;
    if (broken_) return broken_;
    return {};
}

result<void> job_txn::finish() {
    if (broken_) return broken_;
    // By index: clearing drops no reference, so the list does not grow here.
    for (const auto serial : unreferenced_) {
        PP_LET(const auto b, view::load_blob(rows_, serial));
        if (b && b->references == 0) PP_TRY(record(op::clear_blob{serial, b->id}));
    }
    if (!operations_.empty()) group_.add_entry(operations_);
    sodium_memzero(operations_.data(), operations_.size());
    operations_.clear();
    return {};
}

namespace {
// Control characters are refused: no client shows them, and a name with CR or LF cannot be quoted in IMAP.
bool valid_name(std::string_view name) {
    if (name.empty() || name.size() > mailbox_name_bytes_max || !mail::is_valid_utf8(name)) return false;
    std::size_t levels = 1, level_bytes = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto c = static_cast<unsigned char>(name[i]);
        if (c < 0x20 || c == 0x7f) return false;
        if (c == 0xc2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xa0) return false;   // C1
        if (c == '/') {
            if (level_bytes == 0) return false;
            ++levels;
            level_bytes = 0;
        } else {
            ++level_bytes;
        }
    }
    return level_bytes > 0 && levels <= mailbox_levels_max;
}

bool is_below(std::string_view name, std::string_view parent) {
    return name.size() > parent.size() && name.starts_with(parent) && name[parent.size()] == '/';
}
}  // namespace

// A subscription is of a name: one that waits for its mailbox becomes that of the mailbox.
result<bool> job_txn::subscribed_without_mailbox(const std::string& name) {
    return rows_.has(table::unhoused, view::name_key(rows_, table::unhoused, pp::as_bytes(name)).view());
}

result<void> job_txn::make_mailbox(const std::string& name, special_use use, mailbox_id& id) {
    PP_LET(const auto there, rows_.count(table::folder));
    if (there >= mailboxes_max) return errc::limit;
    for (;;) {
        id = crypto::random_u64();
        PP_LET(const bool used, rows_.has(table::folder, view::folder_key(id).view()));
        if (id != 0 && !used) break;
    }
    PP_LET(const auto n, view::load_counters(rows_));
    // Greater than any this account ever gave, so a name never comes back with one it had (RFC 9051 section 2.3.1.1);
    // the seconds only make it likely that a lost store does not repeat them.
    const auto now = static_cast<std::uint32_t>(std::clamp<std::int64_t>(wall_clock_ms() / 1000, 1, 0xffffffff));
    if (n.uid_validity == 0xffffffff) return errc::limit;
    PP_LET(const bool subscribed, subscribed_without_mailbox(name));
    touched_.insert(id);
    return record(op::make_mailbox{id, name, use, subscribed, std::max(n.uid_validity + 1, now)});
}

result<void> job_txn::make_parents(const std::string& name) {
    for (auto at = name.find('/'); at != name.npos; at = name.find('/', at + 1)) {
        const auto parent = name.substr(0, at);
        PP_LET(const auto there, view::folder_by_name(rows_, parent));
        mailbox_id made = 0;
        if (!there) PP_TRY(make_mailbox(parent, special_use::none, made));
    }
    return {};
}

result<mailbox_id> job_txn::create_mailbox(std::string_view wanted, special_use use) {
    const auto name = canonical_name(wanted);
    if (!valid_name(name)) return errc::bad_mailbox_name;
    PP_LET(const auto there, view::folder_by_name(rows_, name));
    if (there) return errc::mailbox_exists;
    PP_TRY(make_parents(name));
    mailbox_id id = 0;
    PP_TRY(make_mailbox(name, use, id));
    return id;
}

result<void> job_txn::rename_mailbox(std::string_view wanted_from, std::string_view wanted_to) {
    const auto from = canonical_name(wanted_from), to = canonical_name(wanted_to);
    if (!valid_name(to) || is_below(to, from)) return errc::bad_mailbox_name;
    PP_LET(const auto taken, view::folder_by_name(rows_, to));
    if (taken) return errc::mailbox_exists;
    PP_LET(const auto id, view::folder_by_name(rows_, from));
    if (from == "INBOX") {
        // RFC 9051 section 6.3.6: the messages move to a new mailbox, INBOX stays, and so do mailboxes below it.
        if (!id) return errc::no_such_mailbox;
        PP_LET(const auto made, create_mailbox(to, special_use::none));
        PP_LET(const auto all, uids(*id));
        mail::uid_set set;
        for (const auto uid : all) set.add(uid);
        PP_TRY(copy(*id, set, made, true));
        PP_LET(const auto notes, metadata(*id));   // RFC 5464 section 4.1: they stay, and are copied
        for (const auto& note : notes) PP_TRY(set_metadata(made, note.entry, bytes_view(note.value)));
        return {};
    }
    // With the mailboxes below it; the name itself may be only a level that has no mailbox any more.
    PP_LET(const auto boxes, mailboxes());
    std::vector<op::rename_mailbox> renames;
    std::vector<std::string> subscribed_names;
    if (id) renames.push_back({*id, to});
    for (const auto& b : boxes) {
        if (b.subscribed && (b.id == id || is_below(b.name, from))) subscribed_names.push_back(b.name);
        if (!is_below(b.name, from)) continue;
        auto name = to + b.name.substr(from.size());
        if (!valid_name(name)) return errc::bad_mailbox_name;
        PP_LET(const auto clash, view::folder_by_name(rows_, name));
        // z/b to z: z/b/b gets the name that z/b has until then.
        const bool holder_moves = to != from && (name == from || is_below(name, from));
        if (clash && !holder_moves) return errc::mailbox_exists;
        renames.push_back({b.id, std::move(name)});
    }
    if (renames.empty()) return errc::no_such_mailbox;
    // A name that one gets and another one has is longer than the one that other gets: that one goes first.
    std::ranges::stable_sort(renames, {}, [](const op::rename_mailbox& r) { return r.name.size(); });
    PP_TRY(make_parents(to));
    for (auto& r : renames) {
        touched_.insert(r.id);
        PP_LET(const bool subscribed, subscribed_without_mailbox(r.name));
        const auto name = r.name;
        PP_TRY(record(std::move(r)));
        if (subscribed) PP_TRY(record(op::subscribe{name, true}));
    }
    // RFC 9051 sections 6.3.6 and 6.3.7: what was subscribed stays so, under the new name and under the old one; only
    // the client takes a name off.
    for (auto& name : subscribed_names) PP_TRY(record(op::subscribe{std::move(name), true}));
    if (!subscribed_names.empty()) touched_.insert(no_mailbox);
    return {};
}

result<void> job_txn::delete_mailbox(std::string_view wanted) {
    const auto name = canonical_name(wanted);
    if (name == "INBOX") return errc::cannot_delete;
    PP_LET(const auto id, view::folder_by_name(rows_, name));
    if (!id) return errc::no_such_mailbox;
    touched_.insert(*id);
    return record(op::delete_mailbox{*id});
}

result<void> job_txn::set_subscribed(std::string_view wanted, bool on) {
    const auto name = canonical_name(wanted);
    if (!valid_name(name)) return errc::bad_mailbox_name;
    PP_LET(const auto id, view::folder_by_name(rows_, name));
    if (id) {
        PP_LET(const auto f, view::load_folder(rows_, *id));
        if (f && f->box.subscribed == on) return {};
        touched_.insert(*id);
    } else {
        PP_LET(const bool known, subscribed_without_mailbox(name));
        if (known == on) return {};
        PP_LET(const auto n, rows_.count(table::unhoused));
        if (on && n >= subscriptions_max) return errc::limit;
        touched_.insert(no_mailbox);   // who watches all names is told of this one too
    }
    return record(op::subscribe{name, on});
}

result<std::uint32_t> job_txn::claim_recent(mailbox_id id) {
    PP_LET(const auto f, view::load_folder(rows_, id));
    if (!f) return errc::no_such_mailbox;
    const auto first = f->box.first_recent_uid;
    if (first != f->box.uid_next) PP_TRY(record(op::claim_recent{id, f->box.uid_next}));
    return first;
}

}  // namespace pp::storage

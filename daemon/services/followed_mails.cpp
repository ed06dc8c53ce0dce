#include "daemon/services/followed_mails.hpp"

#include "daemon/engine/requests.hpp"
#include "daemon/engine/router.hpp"
#include "daemon/services/standard_mailboxes.hpp"

#include <algorithm>
#include <limits>

namespace pp::services {

namespace {

constexpr std::size_t messages_per_read = 256;
constexpr auto last_uid_of_all = std::numeric_limits<std::uint32_t>::max();

// The envelope first: it is at hand, while the block that this node put in front of the mail is read from the drive.
bool is_hers(const storage::read_txn& txn, const account& mine, const crypto::account_key& who,
             const storage::message& m) {
    const auto envelope = txn.envelope_of(m.mail_serial);
    if (!envelope) return false;
    const bool signs = std::any_of(envelope->from.begin(), envelope->from.end(), [&](const auto& author) {
        return author.host && engine::belongs_to(*author.host, who);
    });
    return signs && sender_of(mine, m.mail_serial) == who;
}

result<mail::uid_set> mails_of(const storage::read_txn& txn, const account& mine, const crypto::account_key& who,
                               storage::mailbox_id box, mail::uid_set::range range, const mails_in_hand& in_hand) {
    mail::uid_set found;
    for (std::uint64_t from = range.first; from <= range.last;) {
        auto some = txn.messages(box, static_cast<std::uint32_t>(from), messages_per_read);
        if (!some) return some.error();
        for (const auto& m : *some) {
            if (m.uid > range.last || found.count() >= engine::requests_mails_max) return found;
            if ((m.flags.system & mail::deleted) != 0) continue;
            if (box == in_hand.box && in_hand.uids.contains(m.uid)) continue;
            if (is_hers(txn, mine, who, m)) found.add(m.uid);
        }
        if (some->size() < messages_per_read) break;
        from = std::uint64_t{some->back().uid} + 1;
    }
    return found;
}

result<void> mark_answered(storage::write_txn& txn, storage::mailbox_id box, const mail::uid_set& uids,
                           const std::string& message_id) {
    auto one = txn.find_by_message_id(box, message_id, 0);
    if (!one) return one.error();
    if (!*one || !uids.contains((*one)->uid)) return {};
    mail::flags marks;
    marks.system = mail::seen | mail::answered;
    mail::uid_set refused;
    auto marked = txn.change_flags(box, mail::uid_set::of((*one)->uid, (*one)->uid),
                                   storage::write_txn::flag_change::add, marks, std::nullopt, refused);
    return marked ? result<void>() : result<void>(marked.error());
}

struct source {
    storage::mailbox_id box;
    mail::uid_set::range uids;
};

}  // namespace

std::optional<crypto::account_key> sender_of(const account& mine, std::uint64_t mail_serial) {
    const auto blob = mine.store().open_blob(mail_serial);
    if (!blob) return std::nullopt;
    bytes beginning(std::min<std::uint64_t>((*blob)->size_bytes(), engine::arrival_block_bytes_max));
    const auto n = (*blob)->read(0, beginning);
    if (!n) return std::nullopt;
    beginning.resize(*n);
    return engine::sender_of_arrival(as_text(beginning), mine.domain());
}

result<void> follow_sender(storage::write_txn& txn, const account& mine, const crypto::account_key& who,
                           engine::follow what, const mails_in_hand& in_hand) {
    using engine::follow;
    if (what == follow::none) return {};
    const auto requests = txn.find_mailbox(requests_name);
    if (!requests) return requests.error();
    const auto inbox = standard_mailbox(txn, storage::special_use::none, inbox_name);
    if (!inbox) return inbox.error();
    const auto kept = txn.setting(engine::followed_setting);
    if (!kept) return kept.error();
    auto known = *kept ? engine::decode_followed(**kept) : std::vector<engine::followed_mails>();

    std::vector<source> sources;
    if (what != follow::back && *requests) sources.push_back({(*requests)->id, {1, last_uid_of_all}});
    const auto forgotten = std::erase_if(known, [&](const engine::followed_mails& f) {
        if (f.sender != who || what == follow::to_junk || (what == follow::to_inbox && f.box == *inbox)) return false;
        sources.push_back({f.box, {f.first_uid, f.last_uid}});
        return true;
    });
    bool changed = forgotten > 0;
    std::optional<storage::mailbox_id> to;               // made only when something goes there
    for (const auto& s : sources) {
        auto uids = mails_of(txn, mine, who, s.box, s.uids, in_hand);
        if (!uids) return uids.error();
        if (uids->empty()) continue;
        if (!in_hand.answered.empty())
            if (auto r = mark_answered(txn, s.box, *uids, in_hand.answered); !r) return r;
        if (!to) {
            const auto box = what == follow::to_inbox  ? inbox
                             : what == follow::to_junk ? standard_mailbox(txn, storage::special_use::junk, "Junk")
                                                       : standard_mailbox(txn, storage::special_use::none,
                                                                          requests_name);
            if (!box) return box.error();
            to = *box;
        }
        if (s.box == *to) continue;
        auto pairs = txn.copy(s.box, *uids, *to, true);
        if (!pairs) return pairs.error();
        if (pairs->empty() || what == follow::back) continue;
        known.push_back({who, *to, pairs->front().second, pairs->back().second});
        changed = true;
    }
    return changed ? txn.put_setting(engine::followed_setting, engine::encode_followed(known)) : result<void>();
}

}  // namespace pp::services

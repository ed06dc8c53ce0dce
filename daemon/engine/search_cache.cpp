#include "daemon/engine/search_cache.hpp"

#include <algorithm>

namespace pp::engine {

namespace {
constexpr std::size_t entry_bytes = 64;   // beside the fields: the pointers, and what the allocator adds
std::size_t cost(const imap::search_fields& fields) { return fields.memory_bytes() + entry_bytes; }

// What was decoded for the fields of a mail: encoded words may be long and stand for nothing.
std::size_t decoded_bytes(const mail::envelope& own) {
    auto bytes = own.subject ? own.subject->size() : 0;
    for (const auto* list : {&own.from, &own.to, &own.cc, &own.bcc})
        for (const auto& one : *list) bytes += one.name ? one.name->size() : 0;
    return bytes;
}
}  // namespace

struct search_cache::reading {
    imap::search_rows rows;
    std::size_t mails = 0, bytes = 0;         // read from the store
    bool full = false;                        // the answer ends at rows.through
};

result<imap::search_rows> search_cache::find(const storage::account_store& store, const std::string& account,
                                             storage::mailbox_id box, const mail::uid_set& uids,
                                             clock::time_point now) {
    const std::lock_guard lock(mutex_);
    drop_unused(now);
    auto& kept = boxes_[key(account, box)];
    kept.used = now;
    reading answer;
    auto found = store.read([&](const storage::read_txn& txn) -> result<void> {
        for (const auto& range : uids.ranges()) {
            std::uint64_t uid = range.first;
            while (uid <= range.last && !answer.full) {
                auto at = std::lower_bound(kept.mails.begin(), kept.mails.end(), uid,
                                           [](const entry& e, std::uint64_t u) { return e.uid < u; });
                for (; at != kept.mails.end() && at->uid == uid && uid <= range.last; ++at, ++uid) {
                    answer.rows.rows.push_back({at->uid, at->fields});
                    answer.rows.through = at->uid;
                    if (answer.rows.rows.size() == imap::search_rows_per_question_max) {
                        answer.full = true;
                        return {};
                    }
                }
                if (uid > range.last) break;
                const auto last = at == kept.mails.end() ? range.last : std::min(range.last, at->uid - 1);
                auto read = read_missing(txn, box, kept, static_cast<std::uint32_t>(uid), last, answer);
                if (!read) return read.error();
                uid = std::uint64_t{last} + 1;
            }
            if (answer.full) return {};
        }
        if (!uids.empty()) answer.rows.through = uids.ranges().back().last;
        return {};
    });
    if (!found) return found.error();
    return std::move(answer.rows);
}

result<void> search_cache::read_missing(const storage::read_txn& txn, storage::mailbox_id box, mailbox& kept,
                                        std::uint32_t first, std::uint32_t last, reading& answer) {
    auto messages = txn.messages(box, first, imap::rows_per_question_max - answer.mails);
    if (!messages) return messages.error();
    const bool all_there = messages->size() < imap::rows_per_question_max - answer.mails;
    std::vector<entry> fresh;
    std::size_t fresh_bytes = 0;
    bool cut = false;
    for (const auto& m : *messages) {
        if (m.uid > last) break;
        if (answer.bytes >= fields_read_bytes_max || answer.rows.rows.size() >= imap::search_rows_per_question_max) {
            cut = true;
            break;
        }
        auto own = txn.envelope_of(m.mail_serial);
        if (!own) return own.error();
        auto fields = imap::search_fields::of(*own, {m.internal_date, m.save_date, m.size_bytes});
        const auto bytes = cost(*fields);
        ++answer.mails;
        answer.bytes += std::max(bytes, decoded_bytes(*own));
        answer.rows.rows.push_back({m.uid, fields});
        answer.rows.through = m.uid;
        if (bytes > cached_fields_bytes_max) continue;
        fresh.push_back({m.uid, std::move(fields)});
        fresh_bytes += bytes;
    }
    const bool reached_last = !cut && (all_there || (!messages->empty() && messages->back().uid >= last));
    if (reached_last) answer.rows.through = last;
    answer.full = !reached_last || answer.mails >= imap::rows_per_question_max || answer.bytes >= fields_read_bytes_max;

    if (bytes_ + fresh_bytes > bytes_max_) make_room(kept);
    if (bytes_ + fresh_bytes > bytes_max_) return {};
    const auto at = std::lower_bound(kept.mails.begin(), kept.mails.end(), first,
                                     [](const entry& e, std::uint32_t u) { return e.uid < u; });
    kept.mails.insert(at, std::make_move_iterator(fresh.begin()), std::make_move_iterator(fresh.end()));
    kept.bytes += fresh_bytes;
    bytes_ += fresh_bytes;
    return {};
}

// The mailbox searched longest ago goes, but never the one being searched: reading a mailbox too large for the cache
// from end to end would empty it just ahead of every look.
void search_cache::make_room(const mailbox& keep) {
    auto oldest = boxes_.end();
    for (auto at = boxes_.begin(); at != boxes_.end(); ++at)
        if (&at->second != &keep && at->second.bytes > 0 &&
            (oldest == boxes_.end() || at->second.used < oldest->second.used))
            oldest = at;
    if (oldest == boxes_.end()) return;
    bytes_ -= oldest->second.bytes;
    boxes_.erase(oldest);
}

void search_cache::forget(const std::string& account, storage::mailbox_id box, const mail::uid_set& gone) {
    if (gone.empty()) return;
    const std::lock_guard lock(mutex_);
    const auto at = boxes_.find(key(account, box));
    if (at == boxes_.end()) return;
    auto& kept = at->second;
    std::erase_if(kept.mails, [&](const entry& e) {
        if (!gone.contains(e.uid)) return false;
        kept.bytes -= cost(*e.fields);
        bytes_ -= cost(*e.fields);
        return true;
    });
}

void search_cache::drop_unused(clock::time_point now) {
    std::erase_if(boxes_, [&](const auto& one) {
        if (now - one.second.used < kept_for) return false;
        bytes_ -= one.second.bytes;
        return true;
    });
}

void search_cache::forget_unused(clock::time_point now) {
    const std::lock_guard lock(mutex_);
    drop_unused(now);
}

std::size_t search_cache::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace pp::engine

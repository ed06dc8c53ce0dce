#include "daemon/engine/open_mails.hpp"

#include "daemon/engine/delivery.hpp"

namespace pp::engine {

void open_mails::changed(const storage::outbox_row& row) {
    if (!is_open(row)) return gone(row.id);
    const auto [at, is_new] = rows_.try_emplace(row.id);
    auto& e = at->second;
    if (is_new) {
        e.to = row.account;   // these two never change
        e.submission = row.submission;
        submissions_.emplace(e.submission, row.id);
    }
    if (e.submitted_at != row.submitted_at) {   // new, or dated anew
        const bool waits = e.waits;
        set_waits(row.id, false);
        e.submitted_at = row.submitted_at;
        set_waits(row.id, waits);
    }
    if (e.outgoing_uid != row.outgoing_uid) {
        outgoing_.erase({e.outgoing_uid, e.submission});
        e.outgoing_uid = row.outgoing_uid;
        if (e.outgoing_uid != 0) outgoing_.emplace(e.outgoing_uid, e.submission);
    }
    look(row.id, 0);
}

void open_mails::leave_indexes(const id16& id, const entry& e) {
    if (e.look_at != never) looks_.erase({e.look_at, id});
    submissions_.erase({e.submission, id});
    // Another row of the mail may stand there with the same UID.
    const auto others = of_submission(e.submission);
    bool stands = false;
    for (const auto& other : others) stands = stands || rows_.at(other).outgoing_uid == e.outgoing_uid;
    if (!stands) outgoing_.erase({e.outgoing_uid, e.submission});
}

void open_mails::gone(const id16& id) {
    const auto at = rows_.find(id);
    if (at == rows_.end()) return;
    set_waits(id, false);
    leave_indexes(id, at->second);
    rows_.erase(at);
}

std::vector<storage::id16> open_mails::ids() const {
    std::vector<id16> out;
    out.reserve(rows_.size());
    for (const auto& [id, e] : rows_) out.push_back(id);
    return out;
}

void open_mails::look(const id16& id, unix_ms when) {
    const auto at = rows_.find(id);
    if (at == rows_.end() || at->second.look_at <= when) return;
    if (at->second.look_at != never) looks_.erase({at->second.look_at, id});
    at->second.look_at = when;
    looks_.emplace(when, id);
}

void open_mails::look_at_all(unix_ms when) {
    for (const auto& [id, e] : rows_) look(id, when);
}

void open_mails::look_at_all_to(const crypto::account_key& who, unix_ms when) {
    for (const auto& [submitted, id] : waiting_for(who)) look(id, when);
}

std::optional<storage::id16> open_mails::take_due(unix_ms now) {
    if (looks_.empty() || looks_.begin()->first > now) return std::nullopt;
    const auto id = looks_.begin()->second;
    looks_.erase(looks_.begin());
    rows_.at(id).look_at = never;
    return id;
}

std::optional<storage::unix_ms> open_mails::next_look() const {
    return looks_.empty() ? std::nullopt : std::optional(looks_.begin()->first);
}

void open_mails::set_waits(const id16& id, bool waits) {
    const auto at = rows_.find(id);
    if (at == rows_.end() || at->second.waits == waits) return;
    auto& e = at->second;
    e.waits = waits;
    if (waits) {
        waiting_[e.to].emplace(e.submitted_at, id);
        return;
    }
    const auto hers = waiting_.find(e.to);
    hers->second.erase({e.submitted_at, id});
    if (hers->second.empty()) waiting_.erase(hers);
}

const open_mails::ordered& open_mails::waiting_for(const crypto::account_key& who) const {
    static const ordered nothing;
    const auto hers = waiting_.find(who);
    return hers == waiting_.end() ? nothing : hers->second;
}

std::vector<storage::id16> open_mails::not_told(const crypto::account_key& who, std::size_t reason, std::size_t always,
                                                std::size_t most) const {
    std::vector<id16> out;
    std::size_t place = 0;
    for (const auto& [submitted, id] : waiting_for(who)) {
        if (place++ < always || rows_.at(id).told != reason) out.push_back(id);
        if (out.size() == most) break;
    }
    return out;
}

void open_mails::told(const id16& id, std::size_t reason) {
    if (const auto at = rows_.find(id); at != rows_.end()) at->second.told = reason;
}

std::vector<storage::id16> open_mails::of_submission(const id16& submission) const {
    std::vector<id16> out;
    for (auto at = submissions_.lower_bound({submission, id16{}});
         at != submissions_.end() && at->first == submission; ++at)
        out.push_back(at->second);
    return out;
}

std::vector<storage::id16> open_mails::submissions_in_outgoing(std::uint32_t first_uid, std::uint32_t last_uid) const {
    std::vector<id16> out;
    for (auto at = outgoing_.lower_bound({first_uid, id16{}}); at != outgoing_.end() && at->first <= last_uid; ++at)
        out.push_back(at->second);
    return out;
}

std::vector<storage::id16> open_mails::submissions_in_outgoing() const {
    return submissions_in_outgoing(1, std::numeric_limits<std::uint32_t>::max());
}

std::optional<storage::id16> open_mails::submission_of(const id16& id) const {
    const auto at = rows_.find(id);
    return at == rows_.end() ? std::nullopt : std::optional(at->second.submission);
}

}  // namespace pp::engine

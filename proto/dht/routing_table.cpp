#include "proto/dht/routing_table.hpp"

#include <algorithm>

namespace pp::dht {
namespace {

constexpr auto check_again_after = std::chrono::seconds(60);   // of one node

bool same_network(const endpoint& a, const endpoint& b) {
    return a.kind == b.kind && std::ranges::equal(a.network_view(), b.network_view());
}

}  // namespace

bool routing_table::is_good(const entry& e, time_point now) {
    return e.failures == 0 && e.answered_at && now - *e.answered_at < node_good_for;
}

bool routing_table::may_stand_in(const bucket& b, const contact& who) const {
    if (network_ == network::closed) return true;
    const auto near = [&](const entry& e) { return e.who.at != who.at && same_network(e.who.at, who.at); };
    return std::none_of(b.nodes.begin(), b.nodes.end(), near) && std::none_of(b.waiting.begin(), b.waiting.end(), near);
}

// An address has one id: what stood there under another one is gone.
void routing_table::drop_other_ids_of(const contact& who) {
    for (auto& b : buckets_) {
        const auto other = [&](const entry& e) { return e.who.at == who.at && e.who.id != who.id; };
        std::erase_if(b.nodes, other);
        std::erase_if(b.waiting, other);
    }
}

void routing_table::insert(entry e) {
    auto& b = bucket_of(e.who.id);
    if (b.nodes.size() < bucket_nodes) {
        b.nodes.push_back(e);
        return;
    }
    // The worst there makes room: one that failed, else one whose id belongs to no address while the new one's does.
    const auto worse = [](const entry& a, const entry& c) {
        return std::pair(a.failures, !a.fits) < std::pair(c.failures, !c.fits);
    };
    const auto worst = std::max_element(b.nodes.begin(), b.nodes.end(), worse);
    if (worst->failures >= failures_to_drop || (e.fits && !worst->fits && e.answered_at)) {
        *worst = e;
        return;
    }
    if (b.waiting.size() == replacement_nodes) b.waiting.erase(b.waiting.begin());
    b.waiting.push_back(e);
}

void routing_table::answered(const contact& who, time_point now) {
    if (who.id == self_ || (network_ == network::mainline && !is_public(who.at))) return;
    drop_other_ids_of(who);
    auto& b = bucket_of(who.id);
    for (auto* list : {&b.nodes, &b.waiting})
        for (auto& e : *list)
            if (e.who.id == who.id) {
                if (e.who.at != who.at) {
                    // Another address with the id of a node that is there: the one that was first stays while it lives.
                    if (e.failures == 0) return;
                    e.who.at = who.at;
                    e.fits = id_fits(who.id, who.at);
                }
                e.answered_at = now;
                e.failures = 0;
                return;
            }
    if (!may_stand_in(b, who)) return;
    insert({who, now, std::nullopt, 0, id_fits(who.id, who.at)});
}

void routing_table::remembered(const contact& who) {
    if (who.id == self_ || !is_usable(who.at) || (network_ == network::mainline && !is_public(who.at))) return;
    const auto& b = bucket_of(who.id);
    const auto known = [&](const entry& e) { return e.who.id == who.id || e.who.at == who.at; };
    if (b.nodes.size() == bucket_nodes || std::any_of(b.nodes.begin(), b.nodes.end(), known) || !may_stand_in(b, who))
        return;
    insert({who, std::nullopt, std::nullopt, 0, id_fits(who.id, who.at)});
}

void routing_table::failed(const endpoint& at) {
    for (auto& b : buckets_) {
        std::erase_if(b.waiting, [&](const entry& e) { return e.who.at == at; });
        for (auto it = b.nodes.begin(); it != b.nodes.end(); ++it) {
            if (it->who.at != at) continue;
            ++it->failures;
            if (it->failures >= failures_to_drop && !b.waiting.empty()) {
                *it = b.waiting.back();
                b.waiting.pop_back();
            } else if (it->failures >= failures_to_drop_always) {
                b.nodes.erase(it);
            }
            break;
        }
    }
}

bool routing_table::has_room_for(const contact& who) const {
    if (who.id == self_ || !is_usable(who.at) || (network_ == network::mainline && !is_public(who.at))) return false;
    const auto& b = bucket_of(who.id);
    const auto same = [&](const entry& e) { return e.who.id == who.id; };
    if (std::any_of(b.nodes.begin(), b.nodes.end(), same) || std::any_of(b.waiting.begin(), b.waiting.end(), same))
        return false;
    const auto bad = [](const entry& e) { return e.failures >= failures_to_drop; };
    const bool room = b.nodes.size() < bucket_nodes || b.waiting.size() < replacement_nodes ||
                      std::any_of(b.nodes.begin(), b.nodes.end(), bad);
    return room && may_stand_in(b, who);
}

std::vector<contact> routing_table::closest_where(const node_id& target, std::size_t count, bool proven) const {
    std::vector<contact> out;
    for (const auto& b : buckets_)
        for (const auto& e : b.nodes)
            if (proven ? e.answered_at && e.failures == 0 : e.failures < failures_to_drop) out.push_back(e.who);
    const auto middle = out.begin() + static_cast<std::ptrdiff_t>(std::min(count, out.size()));
    std::partial_sort(out.begin(), middle, out.end(),
                      [&](const contact& a, const contact& b) { return nearer(target, a.id, b.id); });
    out.erase(middle, out.end());
    return out;
}

std::vector<contact> routing_table::closest(const node_id& target, std::size_t count) const {
    return closest_where(target, count, false);
}
std::vector<contact> routing_table::closest_for_answer(const node_id& target, std::size_t count) const {
    return closest_where(target, count, true);
}

std::optional<contact> routing_table::next_to_check(time_point now) {
    entry* oldest = nullptr;
    for (auto& b : buckets_)
        for (auto& e : b.nodes) {
            if (is_good(e, now) || (e.checked_at && now - *e.checked_at < check_again_after)) continue;
            if (!oldest || e.checked_at.value_or(time_point{}) < oldest->checked_at.value_or(time_point{})) oldest = &e;
        }
    if (!oldest) return std::nullopt;
    oldest->checked_at = now;
    return oldest->who;
}

std::optional<std::size_t> routing_table::next_to_refresh(time_point now) {
    std::size_t used = 0;   // beyond the deepest bucket with nodes nothing is to be found
    for (std::size_t i = 0; i < buckets_.size(); ++i)
        if (!buckets_[i].nodes.empty()) used = i + 1;
    for (std::size_t i = 0; i < used; ++i) {
        auto& at = buckets_[i].refreshed_at;
        if (at && now - *at < bucket_refresh_every) continue;
        at = now;
        return i;
    }
    return std::nullopt;
}

void routing_table::change_self(const node_id& self, time_point now) {
    auto old = std::move(buckets_);
    buckets_.assign(id_bits, {});
    self_ = self;
    // Buckets filled from lookups of before count as fresh, or a new id would start a burst of lookups.
    for (auto& b : buckets_) b.refreshed_at = now;
    for (const auto list : {&bucket::nodes, &bucket::waiting})
        for (auto& b : old)
            for (auto& e : b.*list)
                if (e.who.id != self_ && may_stand_in(bucket_of(e.who.id), e.who)) insert(e);
}

std::size_t routing_table::size() const {
    std::size_t out = 0;
    for (const auto& b : buckets_) out += b.nodes.size();
    return out;
}

std::size_t routing_table::good(time_point now) const {
    std::size_t out = 0;
    for (const auto& b : buckets_)
        out += static_cast<std::size_t>(
            std::count_if(b.nodes.begin(), b.nodes.end(), [&](const entry& e) { return is_good(e, now); }));
    return out;
}

std::vector<contact> routing_table::to_save(std::size_t most) const {
    std::vector<const entry*> sorted;
    for (const auto& b : buckets_)
        for (const auto& e : b.nodes)
            if (e.failures == 0) sorted.push_back(&e);
    std::stable_sort(sorted.begin(), sorted.end(), [](const entry* a, const entry* b) {
        return a->answered_at.value_or(time_point{}) > b->answered_at.value_or(time_point{});
    });
    if (sorted.size() > most) sorted.resize(most);
    std::vector<contact> out;
    for (const auto* e : sorted) out.push_back(e->who);
    return out;
}

}  // namespace pp::dht

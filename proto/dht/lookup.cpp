#include "proto/dht/lookup.hpp"

#include <algorithm>

namespace pp::dht {

bool lookup::comes_before(const candidate& a, const candidate& b) const {
    if (a.has_id != b.has_id) return a.has_id;
    return a.has_id && nearer(target_, a.who.id, b.who.id);
}

lookup::candidate* lookup::find(const endpoint& at) {
    const auto found = std::find_if(candidates_.begin(), candidates_.end(),
                                    [&](const candidate& c) { return c.who.at == at; });
    return found == candidates_.end() ? nullptr : &*found;
}

bool lookup::wanted(const endpoint& at) const {
    if (network_ == network::closed)
        return is_usable(at) &&
               !std::any_of(candidates_.begin(), candidates_.end(), [&](const candidate& c) { return c.who.at == at; });
    return is_public(at) && std::none_of(candidates_.begin(), candidates_.end(), [&](const candidate& c) {
        return c.who.at.kind == at.kind && std::ranges::equal(c.who.at.network_view(), at.network_view());
    });
}

void lookup::insert(candidate c) {
    const auto place = std::upper_bound(candidates_.begin(), candidates_.end(), c,
                                        [this](const candidate& a, const candidate& b) { return comes_before(a, b); });
    candidates_.insert(place, std::move(c));
    if (candidates_.size() > lookup_candidates_max) candidates_.pop_back();
}

void lookup::add(const contact& who) {
    if (who.id == self_ || !wanted(who.at)) return;
    if (std::any_of(candidates_.begin(), candidates_.end(),
                    [&](const candidate& c) { return c.has_id && c.who.id == who.id; }))
        return;
    insert({who, true, id_fits(who.id, who.at), state::fresh, {}});
}

void lookup::add_entry(const endpoint& at) {
    if (wanted(at)) insert({{{}, at}, false, false, state::fresh, {}});
}

std::size_t lookup::count(state s) const {
    return static_cast<std::size_t>(
        std::count_if(candidates_.begin(), candidates_.end(), [s](const candidate& c) { return c.now == s; }));
}

std::optional<endpoint> lookup::next() {
    if (asked_ == lookup_queries_max || count(state::asked) >= lookup_alpha) return std::nullopt;
    std::size_t enough = 0;
    for (auto& c : candidates_) {
        if (c.now == state::answered && c.counts && ++enough == replicas_wanted) return std::nullopt;
        if (c.now != state::fresh) continue;
        c.now = state::asked;
        ++asked_;
        return c.who.at;
    }
    return std::nullopt;
}

void lookup::slow(const endpoint& at) {
    if (auto* c = find(at); c && c->now == state::asked) c->now = state::slow;
}

void lookup::failed(const endpoint& at) {
    if (auto* c = find(at); c && c->now != state::answered) c->now = state::failed;
}

void lookup::answered(const contact& who, bytes_view token) {
    auto* c = find(who.at);
    if (!c || (c->now != state::asked && c->now != state::slow)) return;
    if (who.id == self_ || (c->has_id && c->who.id != who.id)) {
        c->now = state::failed;
        return;
    }
    c->now = state::answered;
    c->token = to_bytes(token);
    if (c->has_id) return;
    // Now that its id is known it moves to its place.
    auto known = std::move(*c);
    candidates_.erase(candidates_.begin() + (c - candidates_.data()));
    known.who.id = who.id;
    known.has_id = true;
    known.counts = id_fits(who.id, who.at);
    std::erase_if(candidates_, [&](const candidate& other) { return other.has_id && other.who.id == who.id; });
    insert(std::move(known));
}

bool lookup::finished() const {
    std::size_t enough = 0;
    bool waits_for_slow = false;
    for (const auto& c : candidates_) {
        switch (c.now) {
        case state::asked: return false;
        case state::fresh:
            if (asked_ < lookup_queries_max) return false;
            break;
        case state::slow: waits_for_slow = true; break;
        case state::answered:
            if (c.counts && ++enough == replicas_wanted) return true;
            break;
        case state::failed: break;
        }
    }
    return !waits_for_slow;
}

std::vector<lookup::storing_node> lookup::nearest_with_token(std::size_t most) const {
    std::vector<storing_node> out;
    for (const bool fitting : {true, false})
        for (const auto& c : candidates_)
            if (out.size() < most && c.now == state::answered && c.counts == fitting && !c.token.empty())
                out.push_back({c.who.at, c.token});
    return out;
}

std::size_t lookup::answers() const { return count(state::answered); }

}  // namespace pp::dht

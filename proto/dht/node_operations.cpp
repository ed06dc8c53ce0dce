// Searches, gets and puts: what is open and what comes next.
//
//   get, find:  searching --> over
//   put:        searching --> storing --> over, or waiting (fewer than replicas_enough) --> searching ...
#include "proto/dht/node.hpp"

namespace pp::dht {

operation_id node::open_operation(operation o) {
    operations_.emplace(++last_operation_, std::move(o));
    return last_operation_;
}

void node::begin_search(operation& o, time_point now) {
    o.at = phase::searching;
    o.ends_at = now + lookup_time_max;
    o.grace_ends_at.reset();
    o.retry_at.reset();
    o.best.reset();
    o.copies = o.replicas = o.answers = 0;
    for (auto& s : sides_) {
        if (!s.enabled) continue;
        auto& l = o.lookups[static_cast<std::size_t>(s.kind)].emplace(network_, o.target, s.self);
        for (const auto& c : s.table.closest(o.target, lookup_starts)) l.add(c);
        if (s.table.size() >= settled_nodes) continue;
        for (const auto& at : bootstrap_)
            if (at.kind == s.kind) l.add_entry(at);
    }
}

result<operation_id> node::get(const item_key& key, bytes_view salt, time_point now) {
    if (salt.size() > salt_bytes_max) return errc::bad_item;
    if (operations_.size() >= operations_max || events_.size() >= events_max) return errc::too_many;
    operation o;
    o.what = goal::get;
    o.key = key;
    o.salt = to_bytes(salt);
    o.target = target_of(key, salt);
    begin_search(o, now);
    const auto id = open_operation(std::move(o));
    advance(id, now);
    return id;
}

result<operation_id> node::put(mutable_item item, std::optional<std::int64_t> compare, time_point now) {
    if (const auto good = verify(item); !good) return good.error();
    if (operations_.size() >= operations_max || events_.size() >= events_max) return errc::too_many;
    operation o;
    o.what = goal::put;
    o.key = item.key;
    o.salt = item.salt;
    o.target = target_of(item.key, item.salt);
    o.item = std::move(item);
    o.compare = compare;
    begin_search(o, now);
    const auto id = open_operation(std::move(o));
    advance(id, now);
    return id;
}

void node::begin_find(side& s, const node_id& target, time_point now) {
    operation o;
    o.what = goal::find;
    o.target = target;
    begin_search(o, now);
    // For this family only; nodes of the other that come along may join its table.
    o.lookups[1 - static_cast<std::size_t>(s.kind)].reset();
    const auto id = open_operation(std::move(o));
    s.bootstrap = id;
    advance(id, now);
}

void node::cancel(operation_id id) {
    operations_.erase(id);
    std::erase_if(questions_,
                  [id](const auto& q) { return q.second.operation == id && q.second.why != purpose::check; });
}

void node::ask_more(operation_id id, operation& o, time_point now) {
    for (auto& l : o.lookups) {
        if (!l) continue;
        while (const auto at = l->next()) {
            query_fields fields;
            fields.method = o.what == goal::find ? method::find_node : method::get;
            fields.target = o.target;
            if (o.what == goal::find && sides_[0].enabled && sides_[1].enabled) fields.wanted = {true, true};
            if (!ask(*at, purpose::search, id, fields, now)) l->failed(*at);
        }
    }
}

bool node::search_is_over(const operation& o, time_point now) const {
    if (now >= o.ends_at || (o.grace_ends_at && now >= *o.grace_ends_at)) return true;
    return std::all_of(o.lookups.begin(), o.lookups.end(), [](const auto& l) { return !l || l->finished(); });
}

void node::advance(operation_id id, time_point now) {
    const auto found = operations_.find(id);
    if (found == operations_.end()) return;
    auto& o = found->second;
    if (o.at == phase::waiting && now >= *o.retry_at) begin_search(o, now);
    if (o.at == phase::searching) {
        ask_more(id, o, now);
        if (!search_is_over(o, now)) return;
        for (const auto& l : o.lookups) o.answers += l ? l->answers() : 0;
        if (o.what == goal::put) {
            begin_storing(id, o, now);
        } else {
            if (o.what == goal::get) say(get_finished{id, std::move(o.best), o.copies, o.answers});
            cancel(id);
            return;
        }
    }
    if (o.at == phase::storing && o.stores_open == 0) finish_put_attempt(id, o, now);
}

void node::take_value(operation& o, const endpoint& from, const message& m, time_point now) {
    if (!m.value || !m.sequence || m.key.size() != item_key::size_bytes || m.signature.empty()) return;
    if (!std::ranges::equal(m.key, o.key.view())) return;
    if (o.best && *m.sequence < o.best->sequence) return;
    const mutable_item item{o.key, o.salt, *m.sequence, to_bytes(*m.value), *crypto::signature::from(m.signature)};
    if (o.best && item == *o.best) {
        ++o.copies;
    } else {
        if (!verify(item) || (o.best && item.sequence == o.best->sequence)) return;
        o.best = item;
        o.copies = 1;
    }
    // A node with an id made up for this target shall not cut the search short with an old value.
    if (o.what == goal::get && !o.grace_ends_at && id_fits(m.sender, from)) o.grace_ends_at = now + first_value_grace;
}

void node::begin_storing(operation_id id, operation& o, time_point now) {
    o.at = phase::storing;
    const auto& best = o.best;
    // The network would refuse it, or worse, have two values with one number.
    if (best && (best->sequence > o.item.sequence ||
                 (best->sequence == o.item.sequence && best->value != o.item.value) ||
                 (o.compare && best->sequence != *o.compare))) {
        o.outdated = true;
        return;
    }
    for (auto& l : o.lookups) {
        if (!l) continue;
        for (const auto& to : l->nearest_with_token(replicas_wanted)) {
            query_fields fields;
            fields.method = method::put;
            fields.token = to.token;
            fields.item = &o.item;
            fields.compare = o.compare;
            if (ask(to.at, purpose::store, id, fields, now)) ++o.stores_open;
        }
    }
}

void node::finish_put_attempt(operation_id id, operation& o, time_point now) {
    put_finished done{id, o.replicas, o.answers, o.outdated, std::nullopt, std::nullopt};
    if (o.outdated && o.best) done.newer_sequence = o.best->sequence;
    if (!o.outdated && o.replicas < replicas_enough && o.attempts < std::size(put_retry_after)) {
        done.retry_in = put_retry_after[o.attempts++];
        o.retry_at = now + *done.retry_in;
        o.at = phase::waiting;
        o.lookups = {};
    }
    say(done);
    if (!done.retry_in) cancel(id);
}

}  // namespace pp::dht

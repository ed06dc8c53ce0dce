// What others ask us (BEP 5, BEP 44), when they can reach us.
#include "proto/dht/node.hpp"

#include "proto/dht/bencode.hpp"

namespace pp::dht {

void node::answer_query(const endpoint& from, const message& m, time_point now) {
    // BEP 43: a read-only node does not answer, so that nobody takes it for one that stores.
    if (!reachable_ || m.sender == side_of(from).self || !limits_.question(from, now)) return;
    if (!m.read_only) consider({m.sender, from}, now);
    if (m.method == method::put) return answer_put(from, m, now);
    if (m.method == method::other)
        return send_error(from, m.transaction, krpc_error::method_unknown, "Method Unknown", now);

    reply_fields out;
    if (m.method != method::ping) {
        if (!m.target) return send_error(from, m.transaction, krpc_error::protocol, "no target", now);
        auto wanted = m.wanted;
        if (!wanted[0] && !wanted[1]) wanted[static_cast<std::size_t>(from.kind)] = true;
        out.with_nodes = wanted[0];
        out.with_nodes6 = wanted[1];
        if (wanted[0]) out.nodes = sides_[0].table.closest_for_answer(*m.target, bucket_nodes);
        if (wanted[1]) out.nodes6 = sides_[1].table.closest_for_answer(*m.target, bucket_nodes);
    }
    write_token token;
    if (m.method == method::get || m.method == method::get_peers) {
        tokens_.tick(dice_, now);
        token = tokens_.token_for(from, *m.target);
        out.token = token.view();
    }
    if (m.method == method::get)
        if (const auto* item = store_.find(*m.target, now)) {
            if (item->key) out.sequence = item->sequence;
            // BEP 44: who has this sequence already, or a later one, only wants to know.
            if (!item->key || !m.sequence || *m.sequence < item->sequence) {
                out.value = item->value;
                if (item->key) {
                    out.key = item->key->view();
                    out.signature = item->sig.view();
                }
            }
        }
    send_answer(from, m.transaction, std::move(out), now);
}

void node::answer_put(const endpoint& from, const message& m, time_point now) {
    const auto refuse = [&](krpc_error code, std::string_view text) {
        send_error(from, m.transaction, code, text, now);
    };
    if (!m.value) return refuse(krpc_error::protocol, "no value");
    if (m.value->size() > value_bytes_max) return refuse(krpc_error::value_too_large, "message (v field) too big");
    if (m.salt.size() > salt_bytes_max) return refuse(krpc_error::salt_too_large, "salt (salt field) too big");
    const bool is_mutable = !m.key.empty();
    if (is_mutable && (m.signature.empty() || !m.sequence))
        return refuse(krpc_error::protocol, "no signature or sequence");

    mutable_item item;
    if (is_mutable)
        item = {*item_key::from(m.key), to_bytes(m.salt), *m.sequence, to_bytes(*m.value),
                *crypto::signature::from(m.signature)};
    const auto target = is_mutable ? target_of(item.key, item.salt) : target_of_immutable(*m.value);
    tokens_.tick(dice_, now);
    if (!tokens_.good(m.token, from, target)) return refuse(krpc_error::protocol, "bad token");

    const auto& self = side_of(from).self;
    const auto refused =
        is_mutable ? store_.put(item, m.compare, self, now) : store_.put_immutable(*m.value, self, now);
    if (!refused) return send_answer(from, m.transaction, {}, now);
    switch (*refused) {
    case krpc_error::bad_signature: return refuse(*refused, "invalid signature");
    case krpc_error::cas_mismatch: return refuse(*refused, "the CAS hash mismatched, re-read value and try again");
    case krpc_error::sequence_too_low: return refuse(*refused, "sequence number less than current");
    default: return refuse(*refused, "no room");
    }
}

void node::send_answer(const endpoint& to, bytes_view transaction, reply_fields r, time_point now) {
    r.observed = to;
    auto data = encode_reply(transaction, side_of(to).self, r);
    // A large value leaves room for fewer nodes; the nearest are named first and stay longest.
    while (data.size() > answer_bytes_max && r.nodes.size() + r.nodes6.size() > 0) {
        (r.nodes6.size() >= r.nodes.size() ? r.nodes6 : r.nodes).pop_back();
        data = encode_reply(transaction, side_of(to).self, r);
    }
    if (limits_.answer(data.size(), now)) send(to, std::move(data));
}

void node::send_error(const endpoint& to, bytes_view transaction, krpc_error code, std::string_view text,
                      time_point now) {
    auto data = encode_error(transaction, code, text);
    if (limits_.answer(data.size(), now)) send(to, std::move(data));
}

// A node that we heard of enters the table when it answers us.
void node::consider(const contact& c, time_point now) {
    auto& s = side_of(c.at);
    if (!s.enabled || !s.table.has_room_for(c)) return;
    const bool asked_already = std::any_of(questions_.begin(), questions_.end(),
                                           [&](const auto& q) { return q.second.to == c.at; });
    if (asked_already || !newcomers_.take(1, newcomer_checks_per_s, newcomer_checks_burst, now)) return;
    ask(c.at, purpose::check, 0, {}, now);
}

}  // namespace pp::dht

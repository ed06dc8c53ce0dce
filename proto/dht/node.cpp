// Questions: asked, asked again, answered, given up; and the verbs of the machine.
#include "proto/dht/node.hpp"

#include "proto/dht/bencode.hpp"

#include "crypto/assert.hpp"

namespace pp::dht {
namespace {

std::array<std::byte, transaction_bytes> transaction_of(std::uint32_t number) {
    std::array<std::byte, transaction_bytes> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(number >> (24 - 8 * i));
    return out;
}

std::optional<std::uint32_t> number_of(bytes_view transaction) {
    if (transaction.size() != transaction_bytes) return std::nullopt;
    std::uint32_t out = 0;
    for (const auto b : transaction) out = out << 8 | std::to_integer<std::uint32_t>(b);
    return out;
}

}  // namespace

node::node(settings s, time_point now)
    : network_(s.kind), reachable_(s.reachable), dice_(std::move(s.seed)),
      sides_([&] {
          // Any id does until others have told our address (BEP 42).
          const auto v4 = dice_.bytes_of<node_id>(), v6 = dice_.bytes_of<node_id>();
          return std::array<side, 2>{
              side{family::ipv4, s.enabled[0], v4, routing_table(network_, v4), {}, {}, {}, {}},
              side{family::ipv6, s.enabled[1], v6, routing_table(network_, v6), {}, {}, {}, {}}};
      }()),
      tokens_(dice_, now), limits_(dice_) {
    for (auto& s_ : sides_)
        if (s_.enabled) s_.upkeep_at = now;
}

void node::add_bootstrap(const endpoint& at) {
    if (bootstrap_.size() < bootstrap_nodes_max && is_usable(at) &&
        std::find(bootstrap_.begin(), bootstrap_.end(), at) == bootstrap_.end())
        bootstrap_.push_back(at);
}

void node::send(const endpoint& to, bytes data) {
    if (outgoing_.size() < outgoing_datagrams_max) outgoing_.push_back({to, std::move(data)});
}

std::optional<outgoing_datagram> node::next_datagram() {
    if (outgoing_.empty()) return std::nullopt;
    std::optional<outgoing_datagram> out(std::move(outgoing_.front()));
    outgoing_.pop_front();
    return out;
}

void node::say(event e) {
    // News that nobody fetched are worth nothing; ends of operations are few and always told.
    const bool news = std::holds_alternative<joined>(e) || std::holds_alternative<address_seen>(e);
    if (!news || events_.size() < events_max) events_.push_back(std::move(e));
}

std::optional<event> node::next_event() {
    if (events_.empty()) return std::nullopt;
    std::optional<event> out(std::move(events_.front()));
    events_.pop_front();
    return out;
}

std::chrono::milliseconds node::soft_timeout() const {
    if (latencies_.size() < latency_samples_needed) return soft_timeout_first;
    std::vector<time_point::duration> sorted(latencies_.begin(), latencies_.end());
    const auto p90 = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 9 / 10);
    std::nth_element(sorted.begin(), p90, sorted.end());
    return std::clamp(std::chrono::duration_cast<milliseconds>(*p90 * 2), milliseconds(soft_timeout_min),
                      milliseconds(soft_timeout_max));
}

void node::sample_latency(time_point::duration took) {
    latencies_.push_back(took);
    if (latencies_.size() > latency_samples) latencies_.pop_front();
}

bool node::ask(const endpoint& to, purpose why, operation_id of, const query_fields& fields, time_point now) {
    if (questions_.size() >= questions_max) return false;
    auto number = static_cast<std::uint32_t>(dice_.number());
    while (questions_.contains(number)) ++number;
    question q;
    q.to = to;
    q.why = why;
    q.operation = of;
    q.datagram = encode_query(transaction_of(number), side_of(to).self, !reachable_, fields);
    q.first_sent_at = now;
    q.resend_at = now + soft_timeout();
    q.gives_up_at = now + hard_timeout;
    send(to, q.datagram);
    questions_.emplace(number, std::move(q));
    return true;
}

void node::received(const endpoint& from, bytes_view datagram, time_point now) {
    if (datagram.size() > datagram_bytes_max || !side_of(from).enabled || !is_usable(from)) return;
    if (network_ == network::mainline && !is_public(from)) return;
    const auto document = bencode_document::parse(datagram);
    if (!document) return;
    const auto m = decode_message(*document);
    if (!m) return;
    if (m->kind == message_kind::query) answer_query(from, *m, now);
    else reply_came(from, *m, now);
}

void node::reply_came(const endpoint& from, const message& m, time_point now) {
    const auto number = number_of(m.transaction);
    const auto found = number ? questions_.find(*number) : questions_.end();
    // From the asked endpoint only: who merely saw or guessed the transaction is not believed.
    if (found == questions_.end() || found->second.to != from) return;
    const auto q = std::move(found->second);
    questions_.erase(found);
    sample_latency(now - q.first_sent_at);

    auto& s = side_of(from);
    const bool good = m.kind == message_kind::reply && m.sender != s.self;
    if (good) {
        s.table.answered({m.sender, from}, now);
        if (m.observed && m.observed->kind == from.kind) take_vote(s, from, *m.observed, now);
    }
    const auto at = operations_.find(q.operation);
    if (q.why == purpose::check || at == operations_.end()) return;
    auto& o = at->second;
    if (q.why == purpose::search) {
        if (auto& l = o.lookups[static_cast<std::size_t>(from.kind)]; !l) {
            return;
        } else if (good) {
            for (const auto& c : contacts_of(m)) {
                if (auto& of_family = o.lookups[static_cast<std::size_t>(c.at.kind)]) of_family->add(c);
                else consider(c, now);
            }
            l->answered({m.sender, from}, m.token);
            if (o.what != goal::find && o.at == phase::searching) take_value(o, from, m, now);
        } else {
            l->failed(from);
        }
    } else if (o.at == phase::storing) {
        --o.stores_open;
        if (good) ++o.replicas;
        const auto code = m.kind == message_kind::error ? m.error_code : 0;
        if (code == static_cast<int>(krpc_error::sequence_too_low) ||
            code == static_cast<int>(krpc_error::cas_mismatch))
            o.outdated = true;
    }
    advance(q.operation, now);
}

void node::question_is_slow(question& q, time_point now) {
    // Sent once more, for the case that only the datagram was lost; nobody waits for a slow one of a search.
    q.slow = true;
    ++q.sends;
    send(q.to, q.datagram);
    q.resend_at = q.why == purpose::store && q.sends < put_sends_max ? now + soft_timeout() : q.gives_up_at;
    if (q.why != purpose::search) return;
    const auto at = operations_.find(q.operation);
    if (at == operations_.end()) return;
    if (auto& l = at->second.lookups[static_cast<std::size_t>(q.to.kind)]) l->slow(q.to);
}

void node::question_failed(const question& q) {
    side_of(q.to).table.failed(q.to);
    const auto at = operations_.find(q.operation);
    if (q.why == purpose::check || at == operations_.end()) return;
    auto& o = at->second;
    if (q.why == purpose::store) {
        if (o.at == phase::storing) --o.stores_open;
    } else if (auto& l = o.lookups[static_cast<std::size_t>(q.to.kind)]) {
        l->failed(q.to);
    }
}

void node::tick(time_point now) {
    std::vector<std::uint32_t> due;
    for (const auto& [number, q] : questions_)
        if (now >= std::min(q.resend_at, q.gives_up_at)) due.push_back(number);
    for (const auto number : due) {
        const auto found = questions_.find(number);
        if (now < found->second.gives_up_at) {
            question_is_slow(found->second, now);
            continue;
        }
        const auto q = std::move(found->second);
        questions_.erase(found);
        question_failed(q);
    }
    std::vector<operation_id> open;
    for (const auto& [id, o] : operations_) open.push_back(id);
    for (const auto id : open) advance(id, now);
    for (auto& s : sides_)
        if (s.upkeep_at && now >= *s.upkeep_at) upkeep(s, now);
}

std::optional<time_point> node::deadline() const {
    std::optional<time_point> out;
    const auto also = [&](time_point at) { out = out ? std::min(*out, at) : at; };
    for (const auto& [number, q] : questions_) also(std::min(q.resend_at, q.gives_up_at));
    for (const auto& [id, o] : operations_) {
        if (o.at == phase::searching) also(o.grace_ends_at ? std::min(*o.grace_ends_at, o.ends_at) : o.ends_at);
        if (o.retry_at) also(*o.retry_at);
    }
    for (const auto& s : sides_)
        if (s.upkeep_at) also(*s.upkeep_at);
    return out;
}

}  // namespace pp::dht

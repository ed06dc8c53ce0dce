#include "daemon/engine/circuit_table.hpp"

#include "crypto/keys.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

// A link that does not answer INCOMING is dead before its own pings say so (proto/peer/SPEC.md, "Life of a link").
constexpr auto answer_limit = std::chrono::seconds(10);
constexpr std::uint32_t retry_when_busy_s = 30;

}  // namespace

relay::reply<relay::reserve_reply> circuit_table::reserve(const relay::circuit_tag& tag, link_id link,
                                                          std::uint32_t ttl_s, std::string observed, time_point now) {
    if (rules_.circuits_max == 0) return relay::refusal{relay::status::refused, 0};
    expire(now);
    if (!reservations_.contains(tag) && reservations_.size() >= rules_.reservations_max)
        return relay::refusal{relay::status::busy, retry_when_busy_s};
    const auto ttl = std::min(ttl_s, rules_.reservation_s);
    reservations_[tag] = {link, now + std::chrono::seconds(ttl)};
    return relay::reserve_reply{ttl, std::move(observed)};
}

std::variant<circuit_table::call, relay::refusal> circuit_table::connect(const relay::circuit_tag& target,
                                                                         link_id caller, std::string caller_endpoint,
                                                                         const dice& random, time_point now) {
    if (rules_.circuits_max == 0) return relay::refusal{relay::status::refused, 0};
    expire(now);
    const auto place = reservations_.find(target);
    // A link cannot answer while it asks.
    if (place == reservations_.end() || place->second.link == caller)
        return relay::refusal{relay::status::not_found, 0};
    const auto of_caller =
        std::count_if(circuits_.begin(), circuits_.end(), [&](const auto& c) { return c.second.caller == caller; });
    const auto of_target =
        std::count_if(circuits_.begin(), circuits_.end(), [&](const auto& c) { return c.second.target == target; });
    const auto most = static_cast<std::ptrdiff_t>(rules_.per_client_max);
    if (of_caller >= most || of_target >= most || circuits_.size() >= rules_.circuits_max)
        return relay::refusal{relay::status::busy, retry_when_busy_s};
    call_state c;
    c.caller = caller;
    c.target = target;
    c.secrets[static_cast<std::size_t>(relay::circuit_side::caller)] = random.caller_secret;
    c.secrets[static_cast<std::size_t>(relay::circuit_side::target)] = random.target_secret;
    c.until = now + answer_limit;
    circuits_.emplace(random.circuit, std::move(c));
    return call{place->second.link, {random.circuit, random.target_secret, std::move(caller_endpoint)}};
}

relay::reply<relay::connect_reply> circuit_table::answered(const relay::array16& id, bool accepted, time_point now) {
    const auto found = circuits_.find(id);
    if (found == circuits_.end()) return relay::refusal{relay::status::not_found, 0};    // it took too long
    auto& c = found->second;
    if (!accepted) {
        circuits_.erase(found);
        return relay::refusal{relay::status::refused, 0};
    }
    if (c.is == phase::asked) {
        c.is = phase::awaited;
        c.until = now + relay::join_timeout;
    }
    relay::connect_reply out;
    out.circuit = id;
    out.secret = c.secrets[static_cast<std::size_t>(relay::circuit_side::caller)];
    out.bytes_max = rules_.limits.bytes_max;
    out.rate_bytes_per_s = rules_.limits.rate_bytes_per_s;
    out.seconds_max = static_cast<std::uint32_t>(rules_.limits.time_max.count());
    return out;
}

circuit_table::join_verdict circuit_table::join(const relay::circuit_join& who, time_point now) {
    expire(now);
    const auto found = circuits_.find(who.circuit);
    if (found == circuits_.end()) return join_verdict::nobody;
    auto& c = found->second;
    const auto side = static_cast<std::size_t>(who.side);
    // Each secret is good once.
    if (c.here[side] || !crypto::equal_constant_time(c.secrets[side], who.secret)) return join_verdict::nobody;
    c.here[side] = true;
    // The target may be here before the caller has been told.
    if (!c.here[1 - side]) return join_verdict::first;
    c.is = phase::open;
    return join_verdict::both;
}

std::optional<circuit_table::time_point> circuit_table::join_deadline(const relay::array16& id) const {
    const auto found = circuits_.find(id);
    if (found == circuits_.end() || found->second.is == phase::open) return std::nullopt;
    return found->second.until;
}

void circuit_table::link_gone(link_id link) {
    std::erase_if(reservations_, [&](const auto& r) { return r.second.link == link; });
}

void circuit_table::expire(time_point now) {
    std::erase_if(reservations_, [&](const auto& r) { return now >= r.second.until; });
    std::erase_if(circuits_, [&](const auto& c) { return c.second.is != phase::open && now >= c.second.until; });
}

}  // namespace pp::engine

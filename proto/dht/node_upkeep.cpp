// Staying in the network: bootstrap, checks of nodes, refresh of buckets, our own address, the saved table.
#include "proto/dht/node.hpp"

#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

namespace pp::dht {
namespace {

constexpr std::uint8_t saved_version = 1;

// An id that shares exactly so many leading bits with ours.
node_id id_in_bucket(const node_id& self, std::size_t bits, node_id random) {
    for (std::size_t i = 0; i <= bits && i < id_bits; ++i) {
        const auto mask = std::byte{0x80} >> (i % 8);
        const auto bit = i == bits ? ~self.data[i / 8] & mask : self.data[i / 8] & mask;
        random.data[i / 8] = (random.data[i / 8] & ~mask) | bit;
    }
    return random;
}

}  // namespace

void node::upkeep(side& s, time_point now) {
    s.upkeep_at = now + upkeep_every;
    store_.drop_expired(now);
    if (s.table.size() > 0 && !s.has_joined) {
        s.has_joined = true;
        say(joined{s.kind, s.table.size()});
    }
    // One thing of its own at a time; searches of the daemon go before.
    if (operations_.contains(s.bootstrap) || operations_.size() >= operations_max) return;
    if (s.table.size() < settled_nodes) {
        const bool anywhere = s.table.size() > 0 || std::any_of(bootstrap_.begin(), bootstrap_.end(),
                                                                [&](const endpoint& e) { return e.kind == s.kind; });
        if (anywhere && (!s.bootstrap_at || now >= *s.bootstrap_at)) {
            s.bootstrap_at = now + s.bootstrap_wait;
            s.bootstrap_wait = std::min<milliseconds>(s.bootstrap_wait * 2, bootstrap_retry_max);
            begin_find(s, s.self, now);
            return;
        }
    } else {
        s.bootstrap_at.reset();
        s.bootstrap_wait = bootstrap_retry_first;
    }
    if (const auto c = s.table.next_to_check(now)) {
        ask(c->at, purpose::check, 0, {}, now);
    } else if (const auto bits = s.table.next_to_refresh(now)) {
        begin_find(s, id_in_bucket(s.self, *bits, dice_.bytes_of<node_id>()), now);
    }
}

void node::take_vote(side& s, const endpoint& voter, const endpoint& observed, time_point now) {
    if (network_ != network::mainline || !is_public(observed)) return;
    const auto agreed = s.votes.vote(voter, observed);
    if (!agreed || (s.external && s.external->address == agreed->address)) return;
    s.external = *agreed;
    if (!id_fits(s.self, *agreed)) {
        s.self = id_for(agreed->address_view(), dice_.bytes_of<node_id>());
        s.table.change_self(s.self, now);
    }
    say(address_seen{*agreed});
}

bytes node::save() const {
    wire::byte_writer out;
    out.u8(saved_version);
    for (const auto& s : sides_) {
        const auto nodes = s.table.to_save(saved_nodes_max);
        out.fixed(s.self).u16(static_cast<std::uint16_t>(nodes.size()));
        for (const auto& c : nodes) out.fixed(c.id).raw(to_compact(c.at));
    }
    return out.take();
}

result<void> node::load(bytes_view saved) {
    wire::byte_reader in(saved);
    if (in.u8() != saved_version) return errc::bad_saved_table;
    std::array<node_id, 2> selves;
    std::array<std::vector<contact>, 2> nodes;
    for (const auto f : families) {
        const auto i = static_cast<std::size_t>(f);
        selves[i] = in.fixed<node_id>();
        const std::size_t count = in.u16();
        if (count > saved_nodes_max) return errc::bad_saved_table;
        for (std::size_t n = 0; n < count && !in.failed(); ++n) {
            const auto id = in.fixed<node_id>();
            const auto at = endpoint_from_compact(in.view(compact_bytes(f)));
            if (at) nodes[i].push_back({id, *at});
        }
    }
    if (!in.complete()) return errc::bad_saved_table;
    for (auto& s : sides_) {
        const auto i = static_cast<std::size_t>(s.kind);
        // The id of before: whoever keeps us in a table still finds us.
        s.self = selves[i];
        s.table.change_self(s.self, {});
        for (const auto& c : nodes[i]) s.table.remembered(c);
    }
    return {};
}

}  // namespace pp::dht

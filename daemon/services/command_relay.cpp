// `relay link`, `relay status`: the relay role of this node (proto/relay/SPEC.md).
#include "daemon/services/command_support.hpp"
#include "proto/relay/address.hpp"

#include <algorithm>

namespace pp::services::commands {

namespace {

constexpr std::uint64_t link_hours_default = 30 * 24, link_hours_max = 366 * 24;

relay_role& role_of(const call& c) {
    auto* role = c.n.relay();
    if (!c.n.relay_closed().empty()) refuse(EX_UNAVAILABLE, c.n.relay_closed());
    if (!role)
        refuse(EX_UNAVAILABLE,
               "this node is no relay; in peerpost.toml write: [relay] serve = \"contacts\" (or self, invited, open), "
               "then start peerpost anew");
    return *role;
}

}  // namespace

// Arguments: hours (how long an invite works). Result: link, serve, invite ("" or when it expires).
json::value relay_link(const call& c) {
    c.only({"hours"});
    auto& role = role_of(c);
    const auto hours = c.number("hours", link_hours_default, 1, link_hours_max);
    const auto accounts = c.n.accounts();
    if (accounts.empty()) refuse(EX_UNAVAILABLE, "this home has no account; make one with: peerpost init");
    relay::relay_link link;
    link.relay = accounts.front()->key();
    for (const auto& endpoint : accounts.front()->record().endpoints)
        if (link.endpoints.size() < relay::endpoints_max) link.endpoints.push_back(endpoint);
    if (link.endpoints.empty())
        refuse(EX_UNAVAILABLE, "nobody could reach this relay: it listens nowhere; see peer.listen in peerpost.toml");
    std::string expires;
    const auto rule = c.n.configuration().relay.serve;
    if (rule == relay_rule::invited || rule == relay_rule::open) {   // saves who has the link the work
        crypto::random_bytes(link.invite);
        const auto ends = now_s() + static_cast<std::int64_t>(hours) * 3600;
        value_of(role.run([invite = link.invite, ends](storage::relay::change& change) {
            return change.add_invite(invite, 1, ends);
        }),
                 "making an invite");
        expires = iso_time(ends * 1000);
    }
    return json::object{{"link", relay::encode_link(link)}, {"serve", to_string(rule)}, {"expires", expires}};
}

// Result: serve, slots, notifications, blobs, bytes, clients, reservations, circuits, notes (of damage at the start).
json::value relay_status(const call& c) {
    c.only({});
    auto* role = c.n.relay();
    if (!c.n.relay_closed().empty()) refuse(EX_UNAVAILABLE, c.n.relay_closed());
    if (!role) return json::object{{"serve", "off"}};
    const auto s = value_of(role->store().status(), "reading the relay's store");
    json::array notes;
    for (const auto& note : role->store().recovered().notes()) notes.push_back(json::string(note));
    return json::object{{"serve", to_string(c.n.configuration().relay.serve)},
                        {"slots", s.slots},
                        {"notifications", s.items},
                        {"blobs", s.seeds},
                        {"bytes", s.bytes},
                        {"clients", role->clients.load()},
                        {"reservations", role->reservations.load()},
                        {"circuits", role->open_circuits.load()},
                        {"notes", notes}};
}

}  // namespace pp::services::commands

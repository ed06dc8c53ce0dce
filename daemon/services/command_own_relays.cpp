// `relay use`, `relay list`, `relay drop`: the relays at which mail for an account waits while it is away.
#include "daemon/services/command_support.hpp"
#include "daemon/services/own_relays.hpp"
#include "daemon/services/way_news.hpp"

#include <algorithm>

namespace pp::services::commands {

namespace {

relay::relay_link link_in(const std::string& text) {
    auto link = relay::decode_link(text);
    if (!link)
        refuse(EX_DATAERR,
               text.starts_with("peerpost:")
                   ? "this is no link to a relay, or it was damaged in copying; copy it again from \"peerpost:relay/\" "
                     "to its last character (an invite of a person goes to: peerpost contact add)"
                   : "this is no link to a relay; its owner makes one with: peerpost relay link");
    return std::move(*link);
}

json::object describe(const account& a, const engine::own_relay& r) {
    json::array endpoints;
    for (const auto& endpoint : r.endpoints) endpoints.push_back(json::string(endpoint));
    const auto slot = engine::slot_of(r, a.identity()).id();
    return {{"relay", crypto::account_label(r.relay)},
            {"slot", crypto::hex(slot.view())},
            {"endpoints", std::move(endpoints)},
            {"since", iso_time(r.since)},
            {"opened", r.opened}};
}

// In the store, with whom it is owed to, in the account's record, and known to the network.
void change_list(const call& c, account& a, const std::function<void(std::vector<engine::own_relay>&)>& change) {
    std::vector<engine::own_relay> after;
    value_of(c.n.write(a,
                       [&](storage::write_txn& txn) -> result<void> {
                           after = own_relays(txn);
                           change(after);
                           return put_own_relays(txn, after, a.identity(), now_ms());
                       }),
             "the list of relays could not be stored");
    a.set_relays(engine::slot_addresses(after, a.identity()));
    c.n.record_changed(a.label());
}

}  // namespace

// account, link. Result: as of relay list, and state: "opened", or "waits" (no daemon runs: opened at its start).
json::value relay_use(const call& c) {
    c.only({"account", "link"});
    account& a = c.chosen_account();
    auto text = c.text("link");
    std::erase_if(text, [](unsigned char ch) { return ch <= ' '; });   // a link is often wrapped by what carried it
    auto chosen = engine::from_link(link_in(text), now_ms());
    const auto before = own_relays(a.store());
    const auto known =
        std::find_if(before.begin(), before.end(), [&](const auto& r) { return r.relay == chosen.relay; });
    if (known == before.end() && before.size() >= engine::own_relays_max)
        refuse(EX_DATAERR,
               "this account uses " + std::to_string(before.size()) +
                   " relays already, and more are not told to others; stop using one with: peerpost relay drop RELAY");
    if (known != before.end()) {
        chosen.generation = known->generation;
        chosen.since = known->since;
    }
    if (c.n.relay_errand) {
        const auto why = c.n.relay_errand(a, chosen, node::errand::open);
        if (!why.empty()) refuse(EX_UNAVAILABLE, "the relay is not used: " + why);
        chosen.opened = true;
    }
    change_list(c, a, [&](std::vector<engine::own_relay>& all) {
        std::erase_if(all, [&](const auto& r) { return r.relay == chosen.relay; });
        all.push_back(chosen);
    });
    auto out = describe(a, chosen);
    out["state"] = chosen.opened ? "opened" : "waits";
    return out;
}

// account. Result: relays; trouble, by relay: why there is no link to it, while a daemon runs.
json::value relay_list(const call& c) {
    c.only({"account"});
    const account& a = c.chosen_account();
    json::array rows;
    json::object trouble;
    for (const auto& r : own_relays(a.store())) {
        rows.push_back(describe(a, r));
        if (!c.n.relay_trouble) continue;
        if (const auto why = c.n.relay_trouble(a, r.relay); !why.empty())
            trouble[crypto::account_label(r.relay)] = json::string(why);
    }
    return json::object{{"account", a.label()}, {"relays", std::move(rows)}, {"trouble", std::move(trouble)}};
}

// account, relay: its label or the beginning of it. Result: closed (the relay has forgotten the slot), why (when not).
json::value relay_drop(const call& c) {
    c.only({"account", "relay"});
    account& a = c.chosen_account();
    const auto wanted = c.text("relay");
    constexpr std::size_t digits_min = 4;
    if (wanted.size() < digits_min) refuse(EX_USAGE, "name a relay as `peerpost relay list` prints it");
    std::optional<engine::own_relay> found;
    for (const auto& r : own_relays(a.store())) {
        if (!crypto::account_label(r.relay).starts_with(wanted)) continue;
        if (found) refuse(EX_DATAERR, "several relays begin with \"" + wanted + "\"; give more of the name");
        found = r;
    }
    if (!found) refuse(EX_DATAERR, "this account uses no relay \"" + wanted + "\"; see: peerpost relay list");
    // Not told to anybody any more before the slot goes: who has the newer record does not go there.
    change_list(c, a, [&](std::vector<engine::own_relay>& all) {
        std::erase_if(all, [&](const auto& r) { return r.relay == found->relay; });
    });
    std::string why = "no peerpost runs here; the relay forgets the slot by itself when nobody asks for it";
    if (c.n.relay_errand) why = c.n.relay_errand(a, *found, node::errand::close);
    auto out = describe(a, *found);
    out["closed"] = why.empty();
    out["why"] = why;
    return out;
}

}  // namespace pp::services::commands

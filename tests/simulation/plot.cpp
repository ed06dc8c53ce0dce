#include "tests/simulation/plot.hpp"

#include "daemon/services/commands.hpp"

#include <boost/json.hpp>

namespace pp::sim {

namespace {

// Dice of their own: stories without relays and strangers stay what they were before there were any.
constexpr std::uint64_t lan_dice = 0x1a2, plot_dice = 0x70107;

const person& of(const cast& c, int number) { return c.all[static_cast<std::size_t>(number - 1)]; }

}  // namespace

stories only = stories::all;

plot plot_of(std::uint64_t seed, int persons) {
    plot p;
    p.persons = persons;
    p.lan = dice(seed ^ lan_dice).chance(40);
    if (only == stories::plain) return p;
    dice d(seed ^ plot_dice);
    if (d.chance(only == stories::with_relays ? 100 : 40)) {
        p.relays = d.chance(50) ? relay_use::one : relay_use::two;
        p.in_turns = d.chance(50);
        if (p.in_turns) p.lan = false;
    }
    const auto kind = d.below(100);
    if (kind >= 30) return p;
    p.host = 1 + static_cast<int>(d.below(static_cast<std::uint64_t>(persons)));
    const int other =
        1 + (p.host - 1 + 1 + static_cast<int>(d.below(static_cast<std::uint64_t>(persons - 1)))) % persons;
    (kind < 20 ? p.stranger : p.blocked) = other;
    p.answers = d.chance(40);
    return p;
}

int relays_in(const plot& p) { return p.relays == relay_use::none ? 0 : p.relays == relay_use::one ? 1 : 2; }

bool set_up(services::node& n, int number, const plot& p, const cast& c) {
    auto& me = *n.accounts().front();
    const auto other = number == p.host ? p.stranger : number == p.stranger ? p.host : 0;
    if (other != 0) {
        const auto key = crypto::parse_account_label(of(c, other).label);
        const auto done = n.write(me, [&](storage::write_txn& txn) -> result<void> {
            if (number == p.host) return txn.erase_contact(*key);
            auto known = txn.get_contact(*key);
            if (!known || !*known) return known ? result<void>() : result<void>(known.error());
            (*known)->invite_token.clear();      // with it she would be no stranger
            return txn.put_contact(**known);
        });
        if (!done) return false;
    }
    if (p.in_turns) {   // nobody is there to show an invite to: dialling for that would never end
        const auto done = n.write(me, [](storage::write_txn& txn) -> result<void> {
            auto all = txn.contacts();
            if (!all) return all.error();
            for (auto& contact : *all) {
                if (contact.invite_token.empty()) continue;
                contact.invite_token.clear();
                if (auto r = txn.put_contact(contact); !r) return r;
            }
            return {};
        });
        if (!done) return false;
    }
    if (number == p.host && p.blocked != 0) {
        const auto answer = services::run_command(n, "contact block", {{"contact", of(c, p.blocked).address}});
        if (std::holds_alternative<services::command_error>(answer)) return false;
    }
    return true;
}

}  // namespace pp::sim

// What kind of story a seed is: whether there are relays, whether its people are ever online together, and who does not
// know, or does not want, whom.
#pragma once

#include "daemon/services/node.hpp"
#include "tests/simulation/cast.hpp"

namespace pp::sim {

struct plot {
    int persons = 2;
    bool lan = false;
    relay_use relays = relay_use::none;
    bool in_turns = false;               // one of them at a time; with relays only
    // Machine numbers; 0: nobody. `host` has never heard of `stranger`, or has blocked `blocked`.
    int host = 0, stranger = 0, blocked = 0;
    bool answers = false;                // host accepts the stranger by an answer, else by moving her mails
};

// persons: how many there are.
plot plot_of(std::uint64_t seed, int persons);
enum class stories : std::uint8_t {
    all,
    plain,                               // no relays, no strangers, nobody blocked: these are played many times as fast
    with_relays,
};
extern stories only;
int relays_in(const plot& p);

// Before this node has ever spoken to anybody: what its account knows of the others becomes what the plot says.
// False: it could not be written.
bool set_up(services::node& n, int number, const plot& p, const cast& c);

}  // namespace pp::sim

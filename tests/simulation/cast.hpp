// The people of all stories: homes that are made once, by the daemon's own `init`, and copied for each seed.
#pragma once

#include "daemon/services/config.hpp"
#include "tests/simulation/scheduler.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace pp::sim {

inline constexpr int people = 3;
inline constexpr int first_relay = 10, relays_max = 2;   // numbers of their machines

// Who uses which relay: nobody any; everybody the first; the second person the second one, the third both.
enum class relay_use : std::uint8_t { none, one, two };

struct person {
    int number = 0;                      // of the machine
    std::string address, label, password;
};

struct cast {
    std::filesystem::path folder;
    std::vector<person> all;
    // Of a person or a relay, as it is when a story begins. Who uses a relay has not been there yet.
    std::filesystem::path home_of(int number, relay_use relays) const;
};

services::config configuration_of(int number);
// Makes the homes below `folder`; everybody knows everybody, and with relays by invites.
// Ends the process when that fails.
cast make_cast(const std::filesystem::path& folder);

// A mail goes from the first to the second of them, by the relay and by a link. What libraries do once in a process
// they have done then: each seed begins behind it.
void warm_up(const cast& made);

}  // namespace pp::sim

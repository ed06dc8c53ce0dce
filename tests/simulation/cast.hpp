// The people of all stories: homes that are made once, by the daemon's own `init`, and copied for each seed.
#pragma once

#include "daemon/services/config.hpp"
#include "tests/simulation/scheduler.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace pp::sim {

inline constexpr int people = 3;

struct person {
    int number = 0;                      // of the machine
    std::string address, label, password;
};

struct cast {
    std::filesystem::path folder;        // homes "1", "2"...
    std::vector<person> all;
};

services::config configuration_of(int number);
// Makes the homes below `folder`; everybody knows everybody. Ends the process when that fails.
cast make_cast(const std::filesystem::path& folder);

}  // namespace pp::sim

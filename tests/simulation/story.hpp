// One seed: a few people write to each other while chance breaks the network, the disks, the clocks and the machines;
// then everything is mended, and when it is quiet each mail must be where it belongs.
#pragma once

#include "tests/simulation/cast.hpp"

#include <cstdint>
#include <iterator>

namespace pp::sim {

// Faults put in on purpose, which the simulation must find (planted.cpp). nothing: the patience of a run with a fault,
// and no fault.
enum class plant : std::uint8_t {
    none, nothing, early_answer, forgotten_row, replay, lost_report, early_deposit, forgotten_item, early_collect
};
extern plant planted;
plant plant_of(std::string_view name);               // ends the process for an unknown name
void plant_by(std::uint64_t seed);                   // when faults that strike by chance do

struct tally {                                       // what a run went through
    std::uint64_t mails, accepted, refused, unknown, delivered, reported;
    std::uint64_t crashes, stops, partitions, cuts, silences, full_disks, clock_jumps, given_up;
    std::uint64_t with_relays, in_turns, left_at_relays, fetched_from_relays, letters, relay_crashes, emptied,
        emptied_by_time;
    std::uint64_t requests, refusals;
    std::uint64_t datagrams, switches, virtual_s;
    void add(const tally& other);
};
inline constexpr const char* tally_names[] = {
    "mails", "accepted", "refused", "unknown", "copies", "reports", "crashes", "stops", "partitions", "cuts",
    "silences", "full_disks", "clock_jumps", "gone_for_days", "with_relays", "in_turns", "left_at_relays",
    "fetched_from_relays",
    "letters", "relay_crashes", "emptied", "emptied_by_time", "requests", "refusals",
    "datagrams", "switches", "virtual_s"};
static_assert(sizeof(tally) == sizeof(std::uint64_t) * std::size(tally_names));

struct ending {
    std::uint64_t seed = 0, print = 0;
    bool good = false;
    tally went_through{};
    char why[400] = "";                              // the first thing that was wrong
};

// Runs in a process of its own; homes are copied to `folder`, which is removed afterwards.
void play(std::uint64_t seed, const cast& people_made, const std::filesystem::path& folder, ending& out);

}  // namespace pp::sim

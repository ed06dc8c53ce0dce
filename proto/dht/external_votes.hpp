// Which address others see us at (BEP 42, "ip"): believed when external_votes_needed nodes of different networks, and
// more than half of the last external_votes_kept, name the same.
#pragma once

#include "proto/dht/endpoint.hpp"
#include "proto/dht/limits.hpp"

#include <algorithm>
#include <deque>

namespace pp::dht {

class external_votes {
public:
    // What the votes now say, when they say something.
    std::optional<endpoint> vote(const endpoint& voter, const endpoint& observed) {
        // One vote per network, the newest.
        std::erase_if(votes_, [&](const ballot& b) { return std::ranges::equal(b.network, voter.network_view()); });
        votes_.push_back({to_bytes(voter.network_view()), observed});
        if (votes_.size() > external_votes_kept) votes_.pop_front();
        const auto same = static_cast<std::size_t>(std::count_if(
            votes_.begin(), votes_.end(), [&](const ballot& b) { return b.observed.address == observed.address; }));
        if (same < external_votes_needed || 2 * same <= votes_.size()) return std::nullopt;
        return observed;
    }

private:
    struct ballot {
        bytes network;
        endpoint observed;
    };
    std::deque<ballot> votes_;
};

}  // namespace pp::dht

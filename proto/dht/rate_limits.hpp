// How much is answered: so many questions per address (IPv6: per /64), so many bytes all together. Addresses share
// rate_slots buckets by a keyed hash: constant memory, and nobody can push another out of a table.
#pragma once

#include "proto/dht/dice.hpp"
#include "proto/dht/endpoint.hpp"
#include "proto/dht/limits.hpp"

#include "proto/wire/dialogue.hpp"

namespace pp::dht {

// A bucket that fills with so many units per second up to its burst.
class rate_bucket {
public:
    bool take(double units, double per_s, double burst, wire::time_point now) {
        if (!used_at_) left_ = burst;
        else left_ = std::min(burst, left_ + per_s * std::chrono::duration<double>(now - *used_at_).count());
        used_at_ = now;
        if (left_ < units) return false;
        left_ -= units;
        return true;
    }

private:
    double left_ = 0;
    std::optional<wire::time_point> used_at_;
};

class rate_limits {
public:
    explicit rate_limits(dice& random) : key_(random.next()), slots_(rate_slots) {}

    bool question(const endpoint& from, wire::time_point now) {
        return slots_[slot_of(from)].take(1, queries_per_s_per_network, queries_burst, now);
    }
    bool answer(std::size_t size, wire::time_point now) {
        return answers_.take(static_cast<double>(size), answer_bytes_per_s, answer_bytes_burst, now);
    }

private:
    std::size_t slot_of(const endpoint& from) const {
        const auto part = from.kind == family::ipv4 ? from.address_view() : from.network_view();
        const auto hash = crypto::blake2b_keyed(key_.view(), part);
        return (std::to_integer<std::size_t>(hash.data[0]) << 8 | std::to_integer<std::size_t>(hash.data[1])) %
               rate_slots;
    }
    crypto::hash256 key_;
    std::vector<rate_bucket> slots_;
    rate_bucket answers_;
};

}  // namespace pp::dht

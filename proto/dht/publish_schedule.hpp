// When an account's records are put into the DHT (04-network 4.5.3): soon after the start, soon after a change but at
// most once a minute, else each 55 minutes give or take five, because what is stored ends after two hours.
#pragma once

#include "proto/dht/dice.hpp"
#include "proto/dht/limits.hpp"

#include "proto/wire/dialogue.hpp"

namespace pp::dht {

class publish_schedule {
public:
    publish_schedule(dice& random, wire::time_point now)
        : due_at_(now + between(random, publish_debounce_min, publish_debounce_max)),
          first_until_(due_at_ + publish_change_debounce) {}

    // What is published is no longer true. Changes that follow soon are published together.
    void changed(wire::time_point now) {
        auto at = now + publish_change_debounce;
        if (published_at_) at = std::max(at, *published_at_ + publish_change_every);
        // A first publication still to come waits a little for what is found out at the start; a later one is moved to
        // the change.
        due_at_ = published_at_ ? std::min(due_at_, at) : std::max(due_at_, std::min(at, first_until_));
    }
    void published(dice& random, wire::time_point now) {
        published_at_ = now;
        due_at_ = now + between(random, publish_every - publish_jitter, publish_every + publish_jitter);
    }
    wire::time_point due_at() const { return due_at_; }

private:
    static milliseconds between(dice& random, milliseconds least, milliseconds most) {
        return least +
               milliseconds(static_cast<std::int64_t>(random.fraction() * static_cast<double>((most - least).count())));
    }
    wire::time_point due_at_, first_until_;
    std::optional<wire::time_point> published_at_;
};

}  // namespace pp::dht

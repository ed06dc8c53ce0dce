// Many nodes and a network between them in one process and in virtual time, from one seed: datagrams take time, get
// lost, arrive twice. Nobody waits: an hour of the swarm takes as long as its datagrams.
#pragma once

#include "proto/dht/node.hpp"

#include <functional>
#include <limits>
#include <memory>
#include <queue>
#include <random>

namespace swarm {

using namespace pp;
using namespace pp::dht;
using std::chrono::duration_cast;

struct conditions {
    std::chrono::milliseconds delay_min{10}, delay_max{60};   // one way
    double loss = 0, duplication = 0;
};

inline dice_seed seed_of(std::uint64_t number) {
    dice_seed out;
    for (std::size_t i = 0; i < 8; ++i) out.mutable_view()[i] = static_cast<std::byte>(number >> (8 * i));
    return out;
}

// Private addresses, or public ones of as many networks (for mainline).
inline endpoint address_of(std::size_t number, family f = family::ipv4, network kind = network::closed) {
    endpoint out;
    out.kind = f;
    out.port = 6881;
    if (f == family::ipv4) {
        out.address[0] = kind == network::closed ? std::byte{10} : std::byte{31};
        out.address[1] = static_cast<std::byte>(number >> 8);
        out.address[2] = static_cast<std::byte>(number);
        out.address[3] = std::byte{1};
    } else {
        out.address[0] = kind == network::closed ? std::byte{0xfd} : std::byte{0x2a};
        out.address[6] = static_cast<std::byte>(number >> 8);
        out.address[7] = static_cast<std::byte>(number);
        out.address[15] = std::byte{1};
    }
    return out;
}

struct member {
    std::unique_ptr<node> machine;
    std::vector<event> events;
    bool alive = true;
    std::optional<time_point> due;
    std::size_t sent = 0, largest = 0;
};

class world {
public:
    explicit world(std::uint64_t seed, conditions c = {}, network kind = network::closed)
        : random_(seed), conditions_(c), kind_(kind) {}

    endpoint at(std::size_t number, family f = family::ipv4) const { return address_of(number, f, kind_); }
    // Members from number liars_from on have no machine of ours: this says what they answer to a datagram.
    std::size_t liars_from = std::numeric_limits<std::size_t>::max();
    std::function<std::optional<bytes>(std::size_t liar, bytes_view datagram)> lie;
    void send_as(std::size_t from, std::size_t to, bytes data) {
        under_way_.push(
            {now_ + delay(), order_++, from, to, family::ipv4, std::make_shared<const bytes>(std::move(data))});
    }

    time_point now() const { return now_; }
    std::vector<member> members;

    // Full nodes unless told otherwise; each is told of a few that were there before.
    std::size_t join(bool reachable = true, std::size_t entries = 3, std::array<bool, 2> enabled = {true, false}) {
        const auto number = members.size();
        node::settings s;
        s.kind = kind_;
        s.enabled = enabled;
        s.reachable = reachable;
        s.seed = seed_of(random_());
        member m;
        m.machine = std::make_unique<node>(std::move(s), now_);
        for (std::size_t i = 0; i < std::min(entries, number); ++i)
            for (const auto f : families)
                if (enabled[static_cast<std::size_t>(f)]) m.machine->add_bootstrap(at(i, f));
        members.push_back(std::move(m));
        pump(number);
        return number;
    }

    void run_for(time_point::duration d) { run_until(now_ + d); }
    void run_until(time_point end) {
        while (true) {
            auto next = end;
            if (!under_way_.empty()) next = std::min(next, under_way_.top().at);
            for (auto& m : members)
                if (m.alive && m.due) next = std::min(next, std::max(*m.due, now_));
            now_ = next;
            bool moved = false;
            while (!under_way_.empty() && under_way_.top().at <= now_) {
                const auto f = under_way_.top();
                under_way_.pop();
                moved = true;
                if (f.to >= liars_from) {
                    if (auto answer = lie(f.to, *f.data)) send_as(f.to, f.from, std::move(*answer));
                    continue;
                }
                if (f.to >= members.size() || !members[f.to].alive) continue;
                members[f.to].machine->received(at(f.from, f.kind), *f.data, now_);
                pump(f.to);
            }
            for (std::size_t i = 0; i < members.size(); ++i) {
                if (!members[i].alive || !members[i].due || *members[i].due > now_) continue;
                moved = true;
                members[i].machine->tick(now_);
                pump(i);
            }
            if (now_ >= end && !moved) return;
        }
    }

    // Runs until the member has an event of the kind for the operation; its virtual time.
    template <class Event>
    std::optional<std::pair<Event, time_point::duration>> wait_for(
        std::size_t who, operation_id operation, time_point::duration most = std::chrono::seconds(30)) {
        const auto begun = now_, end = now_ + most;
        pump(who);
        while (true) {
            auto& events = members[who].events;
            for (auto it = events.begin(); it != events.end(); ++it)
                if (const auto* e = std::get_if<Event>(&*it); e && e->operation == operation) {
                    const auto out = *e;
                    events.erase(it);
                    return std::pair(out, now_ - begun);
                }
            if (now_ >= end) return std::nullopt;
            run_for(std::chrono::milliseconds(1));
        }
    }

    void pump(std::size_t i) {
        auto& m = members[i];
        while (auto d = m.machine->next_datagram()) {
            ++m.sent;
            m.largest = std::max(m.largest, d->data.size());
            const auto to = number_of(d->to);
            const auto data = std::make_shared<const bytes>(std::move(d->data));
            const double luck = chance();
            for (int copy = 0; copy < (luck < conditions_.duplication ? 2 : 1); ++copy)
                if (chance() >= conditions_.loss) under_way_.push({now_ + delay(), order_++, i, to, d->to.kind, data});
        }
        while (auto e = m.machine->next_event()) m.events.push_back(std::move(*e));
        m.due = m.machine->deadline();
    }

    double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }
    std::uint64_t dice() { return random_(); }

private:
    struct flight {
        time_point at;
        std::uint64_t order;
        std::size_t from, to;
        family kind;
        std::shared_ptr<const bytes> data;
        bool operator<(const flight& other) const { return std::pair(at, order) > std::pair(other.at, other.order); }
    };
    static std::size_t number_of(const endpoint& e) {
        const std::size_t high = e.kind == family::ipv4 ? 1 : 6;
        return std::to_integer<std::size_t>(e.address[high]) << 8 | std::to_integer<std::size_t>(e.address[high + 1]);
    }
    time_point::duration delay() {
        using us = std::chrono::microseconds;
        const auto range = duration_cast<us>(conditions_.delay_max - conditions_.delay_min).count();
        return conditions_.delay_min + us(static_cast<std::int64_t>(chance() * static_cast<double>(range)));
    }

    std::mt19937_64 random_;
    conditions conditions_;
    network kind_;
    time_point now_{std::chrono::hours(1)};
    std::uint64_t order_ = 0;
    std::priority_queue<flight> under_way_;
};

// An item signed by a key made of a number.
inline mutable_item item_of(std::uint64_t number, std::int64_t sequence, std::string_view text,
                            std::string_view salt = "") {
    const crypto::signing_key key(*crypto::ed25519_seed::from(seed_of(number).view()));
    mutable_item out;
    out.key = *item_key::from(key.public_key());
    out.salt = to_bytes(salt);
    out.sequence = sequence;
    out.value = bencode_writer().text(text).take();
    out.sig = key.sign(signed_part(out.salt, sequence, out.value));
    return out;
}

}  // namespace swarm

// The owner's side of a slot over one link: proves ownership (opening the slot when the relay does not know it), takes
// the items, has them stored, deletes what is stored, and does so again whenever there is news. Nothing is deleted at
// the relay that the daemon has not called durable (proto/relay/SPEC.md, "Walks of a client").
#pragma once

#include "proto/relay/client_events.hpp"

namespace pp::relay {

struct kept {
    std::vector<std::uint64_t> numbers; // stored durably, or for ever of no use: to be deleted at the relay
};
struct items_came {
    using answer_type = kept;
    std::vector<listed_item> items;
};
struct more_rounds {
    bool again = false;
};
// Everything there has been shown. Answered when the next look is due (a hint came,
// the poll's time is up) or at the end.
struct round_over {
    using answer_type = more_rounds;
    std::uint32_t seen = 0, deleted = 0;
    info_reply relay;                   // limits and the poll interval it wishes for
};
struct collect_over {
    using answer_type = noted;
    ending how = ending::lost;
    refusal why;
};

struct collect_options {
    account_key relay;
    crypto::signing_key key;            // of the slot
    token_key tokens, previous_tokens;
    std::uint8_t stranger_bits = work_bits_default;
    array16 invite{};
    std::uint8_t work_bits_max = 0;     // willing to do to open the slot
    bool settings_changed = false;      // say them again even when the slot is there
};

class collector : public wire::dialogue<std::variant<ask_relay, work_wanted, items_came, round_over, collect_over>,
                                        std::variant<result<bytes>, solved, kept, more_rounds, noted>> {
public:
    explicit collector(collect_options options) : o_(std::move(options)), slot_(id_of(o_.key)) {}
    const slot_id& slot() const { return slot_; }

private:
    static slot_id id_of(const crypto::signing_key& key) { return slot_id_of(*slot_key::from(key.public_key())); }

    wire::task<> converse() override;
    wire::task<> walk();
    wire::task<bool> open_slot();
    wire::task<bool> attach();
    wire::task<bool> one_round();
    wire::task<bool> erase(std::vector<std::uint64_t> numbers);
    void refused(const refusal& why);

    collect_options o_;
    slot_id slot_;
    info_reply info_;
    collect_over over_;
    std::uint32_t seen_ = 0, deleted_ = 0;
};

// How long who keeps no link waits before the next poll: exponential with this mean (Poisson arrivals tell an observer
// nothing of each other), within a quarter and three times it. dice in [0, 1).
std::chrono::milliseconds poll_pause(std::uint32_t mean_s, double dice);

}  // namespace pp::relay

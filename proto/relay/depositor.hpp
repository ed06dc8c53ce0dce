// Leaves one delivery at a relay: first its seed (when there is one), then its item. Derived state is in the relay
// alone, so a walk that was cut is begun anew and goes on where the relay has bytes (proto/relay/SPEC.md, "Walks of a
// client"). The link should be of a throw-away identity and of one delivery only:
// what shares a link is known to belong together.
#pragma once

#include "proto/relay/client_events.hpp"

namespace pp::relay {

struct seed_piece_wanted {              // bytes of header | ciphertext
    using answer_type = result<bytes>;  // as many as were asked for
    std::uint64_t offset = 0;
    std::size_t length_bytes = 0;
};
struct deposit_over {
    using answer_type = noted;
    ending how = ending::lost;
    refusal why;                        // with refused
    bool begun = false;                 // the relay has taken the seed up: a piece of it may lie there, and its room
    bool seeded = false;                // the seed is whole there (or fetched and deleted already)
    bool fetched = false;               // the recipient has deleted the seed: she has it
    std::uint64_t moved_bytes = 0;      // of the seed, in this walk: the next one goes on behind them
    std::uint32_t seed_ttl_s = 0, item_ttl_s = 0;
};

struct deposit_options {
    account_key relay;
    slot_id slot;
    std::optional<delivery_token> token;
    std::uint8_t work_bits_max = 0;     // what we are willing to do without (or when the token is refused); 0: nothing
    bytes item;                         // item_bytes, or empty: the seed alone, to keep it longer
    struct seed {
        seed_secrets secrets;
        std::uint64_t content_bytes = 0;    // header and ciphertext
    };
    std::optional<seed> body;
};

class depositor : public wire::dialogue<std::variant<ask_relay, work_wanted, seed_piece_wanted, deposit_over>,
                                        std::variant<result<bytes>, solved, noted>> {
public:
    explicit depositor(deposit_options options) : o_(std::move(options)) {}

private:
    enum class step { good, again, over };

    wire::task<> converse() override;
    wire::task<> walk();
    wire::task<step> get_payment(work_purpose purpose, crypto::hash256 content);
    wire::task<step> leave_seed();
    wire::task<step> upload(std::uint64_t from);
    wire::task<step> leave_item();
    step refused(const refusal& why);
    step took_work_instead(const refusal& why);

    deposit_options o_;
    info_reply info_;
    payment paid_;
    deposit_over over_;
    bool token_refused_ = false;
};

}  // namespace pp::relay

// The relay's side of one link as a machine (proto/relay/SPEC.md): takes requests, checks every proof, asks the daemon
// for what is stored, answers. It rides on the streams of a peer link, which give it whole messages: one request at a
// time through requested(), its reply out of take_output() when no event is open.
//
// What it keeps of a link: a nonce, the slots whose ownership was proved, a count of wrong proofs. Never who the client
// is: the daemon knows that for the moments that need it (opening a slot, reserving).
#pragma once

#include "proto/relay/messages.hpp"
#include "proto/relay/work.hpp"
#include "proto/wire/dialogue.hpp"

namespace pp::relay {

// Who paid for a deposit, as the store may know it.
struct payer {
    token_serial serial;                // zeros: a stranger, with work
    std::uint16_t week = 0;             // of the token: when its serial may be forgotten
    bool operator==(const payer&) const = default;
};

// ------------------------------------------------------------------ events and their verdicts
struct slot_facts {
    bool found = false;
    token_key tokens, previous_tokens;
    std::uint8_t stranger_bits = work_closed;
    std::uint32_t items = 0;            // lying there now
    std::uint64_t seed_bytes = 0;       // used of its quota
    unix_s now = 0;                     // wall time
};
struct slot_wanted {                    // what the store knows of a slot
    using answer_type = slot_facts;
    slot_id slot;
};
struct checked {
    bool good = false;
};
struct work_check {                     // is_solved(), on a thread that may take its time
    using answer_type = checked;
    work task;
    std::uint64_t solution = 0;
};
struct outcome {                        // ok, or why not
    status what = status::busy;
    std::uint32_t retry_after_s = 0;
};
struct may_open {                       // the policy alone: self, contacts, invited, open
    using answer_type = outcome;        // work_needed: yes, for work of the announced bits
    array16 invite{};                   // zeros: none
};
struct slot_open {                      // proved and paid for: write it
    using answer_type = outcome;
    open_request settings;
    bool is_new = false;
};
struct item_deposit {                   // paid for: store it; the same once more is answered as before
    using answer_type = reply<deposit_reply>;
    slot_id slot;
    payer by;
    bytes item;
};
struct items_wanted {                   // the oldest with a number above `after`, at most `count`
    using answer_type = reply<list_reply>;
    slot_id slot;
    std::uint64_t after = 0;
    std::uint8_t count = 0;
};
struct items_erase {                    // numbers that are not there are no error
    using answer_type = outcome;
    slot_id slot;
    std::vector<std::uint64_t> numbers;
};
struct slot_close {                     // with its items and seeds
    using answer_type = outcome;
    slot_id slot;
};
struct seed_begin {                     // paid for; of one that is there the time to live may begin anew
    using answer_type = reply<seed_reply>;
    slot_id slot;
    payer by;
    locator where;
    std::uint64_t size_bytes = 0;
    crypto::hash256 deletion;
};
struct seed_wanted {                    // how much of it is there
    using answer_type = reply<seed_reply>;
    locator where;
};
struct seed_put {                       // the bytes that come next, or wrong_offset
    using answer_type = reply<seed_reply>;
    seed_put_request piece;
};
struct seed_get {                       // a range of a whole one
    using answer_type = reply<seed_piece_reply>;
    seed_get_request range;
};
struct seed_delete {                    // deletion: to be compared with what seed_begin gave
    using answer_type = outcome;
    locator where;
    crypto::hash256 deletion;
};
struct reserve {                        // the daemon makes the tag of the account that TLS and HELLO have proved
    using answer_type = reply<reserve_reply>;
    std::uint32_t ttl_s = 0;
};
struct circuit_wanted {                 // the daemon calls the target (INCOMING) and answers when it has said yes or no
    using answer_type = reply<connect_reply>;
    circuit_tag target;
    bool show_endpoint = false;
};
using event =
    std::variant<slot_wanted, work_check, may_open, slot_open, item_deposit, items_wanted, items_erase, slot_close,
                 seed_begin, seed_wanted, seed_put, seed_get, seed_delete, reserve, circuit_wanted>;
using verdict = std::variant<slot_facts, checked, outcome, reply<deposit_reply>, reply<list_reply>, reply<seed_reply>,
                             reply<seed_piece_reply>, reply<reserve_reply>, reply<connect_reply>>;

struct server_options {
    account_key relay;                  // ours
    array16 nonce{};                    // random, new for each link
    info_reply announced;               // nonce and stranger_bits are filled in here
};

class server_session : public wire::dialogue<event, verdict> {
public:
    explicit server_session(server_options options) : options_(std::move(options)) {}

    // One request; the next one after its reply was taken.
    void requested(bytes message);
    // The link has ended. Follow it with next_event().
    void link_ended() { input_ended(); }
    const std::vector<slot_id>& attached() const { return attached_; }

private:
    wire::task<> converse() override;
    wire::task<bytes> reply_to(bytes message);
    wire::task<bytes> on(info_request r);
    wire::task<bytes> on(open_request r);
    wire::task<bytes> on(attach_request r);
    wire::task<bytes> on(list_request r);
    wire::task<bytes> on(erase_request r);
    wire::task<bytes> on(close_request r);
    wire::task<bytes> on(deposit_request r);
    wire::task<bytes> on(seed_begin_request r);
    wire::task<bytes> on(seed_state_request r);
    wire::task<bytes> on(seed_delete_request r);
    wire::task<bytes> on(reserve_request r);
    wire::task<bytes> on(connect_request r);
    wire::task<bytes> on(seed_put_request r);
    wire::task<bytes> on(seed_get_request r);

    struct paid {
        status what = status::bad_proof;
        payer by;
    };
    wire::task<paid> charge(slot_id slot, payment offered, work_purpose purpose, crypto::hash256 content);
    wire::task<bool> check(work task, std::uint64_t solution);
    bool is_attached(const slot_id& slot) const;
    bytes wrong_proof();

    server_options options_;
    std::optional<bytes> request_;
    std::vector<slot_id> attached_;
    std::uint32_t failed_proofs_ = 0;
};

}  // namespace pp::relay

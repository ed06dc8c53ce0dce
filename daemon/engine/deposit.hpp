// A mail that waits at relays (01-product 1.4, proto/relay/SPEC.md, "Walks of a client"): what is kept with its outbox
// row, when it is brought there, and what to try where. Pure decisions on values; the daemon walks, and writes before
// it pays: a token and a sealed item are in the row before a relay sees them,
// so that a repeat after a crash is the same one.
#pragma once

#include "daemon/engine/correspondent.hpp"
#include "daemon/engine/delivery.hpp"
#include "proto/relay/depositor.hpp"

namespace pp::engine {

// What is known of the seed at one place: written before the relay sees it, and before it is taken back.
enum class trace : std::uint8_t {
    none,                                            // it never came there
    left,                                            // it may lie there
    taking,                                          // it was there, and we are about to delete it
    gone,                                            // it is there no more, and she did not fetch it there
    fetched,                                         // she has deleted it
};

// One slot at one relay that something is paid for in.
struct deposit_place {
    relay::slot_address where;
    std::optional<relay::delivery_token> token;      // nothing: work
    trace lies = trace::none;
    bool operator==(const deposit_place&) const = default;
};
bool may_lie(const deposit_place& place);            // a seed, or a piece of one
inline constexpr std::size_t earlier_places_max = 4; // of one mail; for older ones the relay's time has to do
struct deposit_notes {
    std::optional<deposit_place> hers;               // her slot: the item, and the seed when there is room
    std::optional<deposit_place> ours;               // our own slot: the seed, when there was none at hers
    // Walked to before these, and something may lie there still; the oldest first.
    struct earlier_place {
        deposit_place place;
        bool at_ours = false;
        bool operator==(const earlier_place&) const = default;
    };
    std::vector<earlier_place> earlier;
    bytes item;                                      // sealed; the same at every repeat
    bool item_left = false, seed_at_hers = false, seed_at_ours = false;
    bool item_may_lie = false;                       // a walk broke off when it may have been left
    bool in_doubt = false;                           // given up although nobody knows (engine/last_word.hpp)
    unix_ms lies_until = 0;                          // when the relays delete what was left there; 0: not known
    unix_ms look_at = 0;                             // when it is to be looked after again; 0: no deposit was tried
    unix_ms renew_at = 0;                            // from then on that look pays anew, for more time
    std::uint32_t attempts = 0;                      // that failed one after the other
    bool operator==(const deposit_notes&) const = default;
    bool seeded() const { return item_left && (seed_at_hers || seed_at_ours); }
};
bytes encode(const deposit_notes&);
deposit_notes notes_of(const storage::outbox_row& row);      // none, or unreadable ones: as if nothing had been tried

// A walk to this place begins. What may lie at another one is kept in mind, and so is what an earlier walk to this one
// has left there.
void walk_to(deposit_notes& n, bool at_ours, deposit_place place);
// What is left there is to be paid anew: only what may lie at relays stays known.
deposit_notes begun_anew(deposit_notes n);
bool was_fetched(const deposit_notes& n);            // a walk has found that she deleted the seed
// Before a walk: anew when the time there runs out, or when the item waits nowhere and is sealed to another key than
// hers of now. Where she has fetched the seed and no receipt has come by the next walk, it got lost on its way: another
// item, paid anew, asks her for another. Else it is the same once more, which a relay that has it answers as before.
deposit_notes before_walk(deposit_notes n, std::uint32_t prekey_id, unix_ms now);
// Her slots, the one where it waits first.
std::vector<relay::slot_address> in_order(std::vector<relay::slot_address> hers, const deposit_notes& n);
// The places that are known, hers first.
std::vector<deposit_notes::earlier_place> places_of(const deposit_notes& n);
// What lies at this place was found out.
void learn_trace(deposit_notes& n, const relay::slot_address& where, trace lies);

// What the walk to a place means for the notes that were `before` it: nothing, there was no link.
deposit_notes walked(deposit_notes notes, const deposit_notes& before, bool at_ours, bool with_item,
                     const std::optional<relay::deposit_over>& over);

// Whether the row of somebody to whom there is no link, or only one that crawls (engine/path.hpp), is to be brought to
// a relay now; never behind its end. unlinked_since: when the last link to her ended, or when this node started. Also
// for what is there already, when its time there runs out.
bool deposit_is_due(const storage::outbox_row& row, unix_ms unlinked_since, unix_ms now,
                    const delivery_times& times = {});
// When deposit_is_due() may become true.
unix_ms deposit_due_at(const storage::outbox_row& row, unix_ms unlinked_since, unix_ms now,
                       const delivery_times& times = {});

// She has told that mail for her is left in this slot now: a row that was refused elsewhere is brought there at once,
// and what waits elsewhere is looked after at once. Nothing: it is as it should be.
std::optional<storage::outbox_row> way_came(storage::outbox_row row, const relay::slot_address& where, unix_ms now);

// The walk over the places: the next step, then what it brought.
class deposit_plan {
public:
    enum class what : std::uint8_t { all, seed, item };
    struct step {
        what bring = what::all;
        bool at_ours = false;                        // which list, and the place in it
        std::size_t place = 0;
    };
    // hers and ours: how many places there are, in the order they are tried.
    deposit_plan(std::size_t hers, std::size_t ours) : hers_(hers), ours_(ours) {}

    std::optional<step> next() const;
    void answered(const relay::deposit_over& over);
    void unreachable();                              // there is no link to that relay

    bool seeded() const { return state_ == state::done; }
    bool seed_at_ours() const { return seed_at_ours_; }
    bool fetched() const { return fetched_; }        // the recipient has deleted the seed: she has the mail
    std::size_t hers() const { return her_; }        // where the item is, when seeded
    std::size_t ours() const { return our_; }
    std::uint32_t ttl_s() const { return ttl_s_; }   // the shorter of seed and item
    // Why it is not seeded; the first place of hers counts.
    std::string sentence() const;

private:
    enum class state : std::uint8_t { all_at_hers, seed_at_ours, item_at_hers, done, failed };
    void next_of_hers();
    void note(const relay::deposit_over& over);

    std::size_t hers_, ours_, her_ = 0, our_ = 0;
    state state_ = state::all_at_hers;
    bool seed_at_ours_ = false, have_seed_ = false, fetched_ = false;
    std::uint32_t ttl_s_ = 0;
    std::string her_answer_, our_answer_;
};

// The clock was put right by so much while this node served. What was submitted by the wrong one, from..until, keeps
// its age, and what was sealed for a relay is sealed anew: the recipient looks at its date. Nothing: it is none.
std::optional<storage::outbox_row> redated(storage::outbox_row row, unix_ms from, unix_ms until, milliseconds by);

// The row after a walk.
storage::outbox_row deposited(storage::outbox_row row, deposit_notes notes, std::uint32_t ttl_s, unix_ms now,
                              const delivery_times& times = {});
// Nothing new lies anywhere. A row that was seeded stays so as long as its relay has not denied it.
storage::outbox_row deposit_failed(storage::outbox_row row, deposit_notes notes, std::string sentence, unix_ms now,
                                   double dice, const delivery_times& times = {});

}  // namespace pp::engine

// Brings mails whose recipient is away to relays: seals once, pays once, walks over her relays and ours as
// engine/deposit.hpp decides, and takes seeds back of mails that were given up. One network thread.
#pragma once

#include "daemon/engine/deposit.hpp"
#include "daemon/net/relay_owner.hpp"
#include "daemon/net/work_bench.hpp"

#include <array>
#include <map>
#include <set>

namespace pp::net {

inline constexpr std::size_t deposits_at_once_max = 4;           // each a link and a piece of a mail in memory
inline constexpr auto no_relay_known_pause = std::chrono::minutes(1);
// A seed that broke off in the middle goes on at the same relay after these pauses, which begin anew when more of it
// went: at another one it would begin from the start. No further try begins after walk_on_limit: a relay that is frozen
// takes its time with each.
inline constexpr std::array<std::chrono::seconds, 3> walk_on_pauses{
    std::chrono::seconds(1), std::chrono::seconds(2), std::chrono::seconds(5)};
inline constexpr auto walk_on_limit = std::chrono::seconds(9);

class relay_outbox {
public:
    explicit relay_outbox(relay_context with) : with_(with) {}
    // Where the work of first contacts is done; woken: an account, and its row for which it is done.
    using woken = std::function<void(const std::string& label, const storage::id16& row)>;
    void set_bench(work_bench& bench, woken f) {
        bench_ = &bench;
        woken_ = std::move(f);
    }
    // What the DHT says of somebody's slots, beside what is kept of her.
    using found_slots = std::function<std::vector<relay::slot_address>(const crypto::account_key&)>;
    void set_found_slots(found_slots f) { found_slots_ = std::move(f); }
    // Something is known that was not: nobody waits for the end of a pause.
    void look_again() {
        rests_.clear();
        unknown_.clear();
    }

    // May this row be brought now? Then it is under way until bring() has ended.
    bool begin(const storage::id16& row);
    bool has_room() const { return under_way_.size() < deposits_at_once_max; }   // for one more
    // When no relay of hers was known: until then her rows need not be asked for, and then one of them is enough.
    std::chrono::steady_clock::time_point not_before(const crypto::account_key& peer) const;
    // When a row that was not begun may be asked for again.
    std::chrono::steady_clock::time_point not_before(const storage::id16& row) const;
    // The whole walk; the row says afterwards what came of it.
    awaitable<void> bring(services::account& mine, storage::outbox_row row);
    // A mail that is given up: its seeds go, so that it does not arrive after its sender was told that it failed. What
    // came of it stands in the row's notes.
    awaitable<void> take_back(services::account& mine, storage::outbox_row row);
    bool is_under_way(const storage::id16& row) const { return under_way_.contains(row); }
    void stop() { stopping_ = true; }

private:
    struct mail {
        std::shared_ptr<storage::cipher_reader> cipher;
        storage::blob_ref ref;
    };
    struct errand {                              // one mail on its way
        storage::outbox_row row;
        engine::deposit_notes notes;
        engine::deposit_notes before;            // what was known before this step
        std::vector<relay::slot_address> hers;
        std::vector<engine::own_relay> ours;
        std::optional<std::uint64_t> work;       // of a first contact
        std::uint32_t prekey_id = 0;
        crypto::prekey prekey;
        mail what;
        bool moved = false;                      // bytes of it came to a relay
        engine::deposit_notes looked_after;      // as it was seeded, when it was
        bool denied = false;                     // the relay where it waited has it no more
    };
    // empty, or why there is nothing to do
    awaitable<std::string> prepare(services::account& mine, std::shared_ptr<errand> e);
    awaitable<bool> pay(services::account& mine, std::shared_ptr<errand> e, engine::deposit_plan::step step);
    awaitable<std::optional<relay::deposit_over>> walk(services::account& mine, std::shared_ptr<errand> e,
                                                       engine::deposit_plan::step step);
    bool is_wanted(services::account& mine, const storage::id16& id) const;
    // The walk, and again as long as it breaks off in the middle.
    awaitable<std::optional<relay::deposit_over>> walk_to_its_end(services::account& mine, std::shared_ptr<errand> e,
                                                                  engine::deposit_plan::step step);
    // false: not written
    awaitable<bool> book(services::account& mine, std::shared_ptr<errand> e, const engine::deposit_plan& plan);
    awaitable<result<bytes>> read_piece(std::shared_ptr<relay_call> call,
                                        std::shared_ptr<storage::cipher_reader> cipher, std::uint64_t offset,
                                        std::size_t length);
    result<mail> open(services::account& mine, const storage::outbox_row& row) const;
    peer::notification note_of(services::account& mine, const errand& e) const;
    // true when there is nothing to wait for
    awaitable<bool> work_for(services::account& mine, std::shared_ptr<errand> e);
    bytes seal(services::account& mine, const errand& e) const;
    awaitable<bool> note_trace(services::account& mine, storage::id16 row, relay::slot_address where,
                               engine::trace lies);
    awaitable<engine::trace> take_back_from(services::account& mine, const storage::outbox_row& row,
                                            engine::deposit_place place, bool at_ours);

    relay_context with_;
    work_bench* bench_ = nullptr;
    woken woken_;
    found_slots found_slots_;
    std::set<storage::id16> under_way_;
    std::map<storage::id16, std::chrono::steady_clock::time_point> rests_;
    // people of whom no relay was known
    std::map<crypto::account_key, std::chrono::steady_clock::time_point> unknown_;
    bool stopping_ = false;
};

}  // namespace pp::net

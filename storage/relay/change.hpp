// The changes of one write transaction on a relay's index. A refusal (storage/relay/error.hpp) changes nothing; any
// other error is the disk's and fails the whole group.
#pragma once

#include "storage/relay/limits.hpp"
#include "storage/relay/rows.hpp"

#include <vector>

namespace pp::storage::relay {

// Who paid for a deposit: the serial of a delivery token with the hour it may be forgotten in, or zeros: a stranger.
struct payer {
    id16 serial{};
    std::int64_t good_until = 0;         // Unix seconds
    bool is_stranger() const { return serial == id16{}; }
};

struct slot_opening {
    id16 slot{};
    bytes32 key{}, tokens{}, previous_tokens{};
    std::uint8_t stranger_bits = 255;
    bytes owner;                         // whatever tells owners apart; kept as a keyed hash only
    std::optional<id16> invite;          // to be used up, when the slot is new
};
struct deposited {
    std::uint32_t ttl_s = 0;
    bool is_new = false;                 // false: it was here already
};
struct seed_beginning {
    id16 slot{};
    payer by;
    bytes32 where{};                     // the locator
    std::uint64_t size_bytes = 0;
    bytes32 deletion{};                  // hash of the secret that deletes it
};
struct seed_state {
    seed_phase phase = seed_phase::partial;
    std::uint64_t size_bytes = 0, have_bytes = 0;
    std::uint32_t ttl_s = 0;
};

class change {
public:
    change(const index& rows, MDB_txn* txn, const store_limits& limits, std::uint64_t free_bytes)
        : rows_(rows), txn_(txn), limits_(limits), free_bytes_(free_bytes) {}

    // A new slot, or new settings of one that is there (its key must be the same). errc::relay_full, errc::no_invite.
    result<void> open_slot(const slot_opening& opening, std::int64_t now);
    result<void> touch_slot(const id16& slot, std::int64_t now);            // the owner was here
    result<void> close_slot(const id16& slot);                              // not there is no error
    // errc::no_slot, errc::token_spent, errc::slot_full, errc::relay_full, errc::too_large.
    result<deposited> deposit(const id16& slot, const payer& by, bytes_view item, std::int64_t now);
    // Numbers that are not there are no error. errc::no_slot.
    result<void> erase_items(const id16& slot, const std::vector<std::uint64_t>& numbers);
    // Also errc::bad_proof: this locator is another slot's.
    result<seed_state> begin_seed(const seed_beginning& seed, std::int64_t now);
    // errc::not_found, errc::bad_proof. Deleted already is no error.
    result<void> delete_seed(const bytes32& where, const bytes32& deletion);
    // So much of an upload is in its file and synced. False: the seed has gone meanwhile.
    result<bool> seed_synced(const tag16& seed, std::uint64_t bytes);
    result<void> add_invite(const id16& invite, std::uint32_t uses, std::int64_t ends_at);
    // Ends what is due, at most so many rows; how many it were. idle_slots: those nobody has asked for, too.
    result<std::size_t> sweep(std::int64_t now, std::size_t rows_max, bool idle_slots);

    result<void> finish();                                                  // before the commit
    bool changed() const { return changed_; }
    const std::vector<tag16>& gone() const { return gone_; }                // seeds whose files go after the commit

private:
    struct purchase {
        bool again = false;              // the token has paid for this before
        bool fresh = false;              // a serial never seen
        spent_row row;
    };
    result<std::optional<slot_row>> find_slot(const tag16& slot) const;
    result<std::pair<tag16, slot_row>> must_find_slot(const id16& slot) const;
    result<void> save(const tag16& slot, const slot_row& row);
    result<std::pair<tag16, slot_row>> slot_of_number(std::uint64_t number) const;
    result<purchase> look_at(const slot_row& slot, const payer& by, table what, const tag16& content) const;
    result<void> record(slot_row& slot, const payer& by, const purchase& bought);
    result<void> drop_item(slot_row& slot, std::uint64_t number);
    result<void> drop_seed_bytes(slot_row& slot, const tag16& seed, const seed_row& row);
    result<void> drop_seed_row(const tag16& seed, const seed_row& row);
    result<void> drop_slot(const tag16& tag, slot_row row);
    result<void> sweep_one(bytes_view due_key);
    result<totals*> sums();
    result<std::vector<bytes>> keys_of(table t, bytes_view prefix) const;
    bool has_room(std::uint64_t more) const;

    template <class Row>
    result<std::optional<Row>> get(table t, bytes_view key) const {
        auto raw = rows_.get(txn_, t, key);
        if (!raw) return raw.error();
        if (!*raw) return std::optional<Row>();
        auto row = decode_row<Row>(**raw);
        if (!row) return row.error();
        return std::optional<Row>(std::move(*row));
    }
    template <class Row>
    result<void> put(table t, bytes_view key, const Row& row) {
        changed_ = true;
        return rows_.put(txn_, t, key, encode(row));
    }
    result<void> put_empty(table t, bytes_view key) {
        changed_ = true;
        return rows_.put_empty(txn_, t, key);
    }
    result<void> erase(table t, bytes_view key) {
        changed_ = true;
        return rows_.erase(txn_, t, key);
    }

    const index& rows_;
    MDB_txn* txn_;
    const store_limits& limits_;
    std::uint64_t free_bytes_;
    bool changed_ = false;
    std::optional<totals> sums_;
    std::vector<tag16> gone_;
};

// Seconds left until an hour ends something, never less than nothing.
std::uint32_t seconds_until(std::uint32_t hour, std::int64_t now);

// Keys.
bytes key_of(std::uint64_t number);
bytes key_of(std::uint64_t number, std::uint64_t second);
bytes key_of(std::uint64_t number, const tag16& tag);
bytes due_key(std::uint32_t hour, due_kind kind, bytes_view rest);

}  // namespace pp::storage::relay

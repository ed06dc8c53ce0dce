// What waits at a relay: slots with their items, seeds, invites (storage/relay/README.md). Safe from any thread; every
// call may wait for the disk, so none belongs on the network thread except the reads of slots and items, which do not.
#pragma once

#include "storage/relay/change.hpp"
#include "storage/relay/recovery.hpp"
#include "storage/relay/seed_files.hpp"

namespace pp::storage::relay {

struct slot_facts {
    bytes32 key{}, tokens{}, previous_tokens{};
    std::uint8_t stranger_bits = 255;
    std::uint32_t items = 0;
    std::uint64_t seed_bytes = 0;
};
struct listed_item {
    std::uint64_t number = 0;
    id16 serial{};                       // zeros: a stranger's
    bytes item;
};
struct item_list {
    std::vector<listed_item> items;
    bool more = false;
};
struct seed_piece {
    std::uint64_t size_bytes = 0;
    bytes data;
};
struct store_status {
    std::uint64_t slots = 0, items = 0, seeds = 0;
    std::uint64_t bytes = 0;             // of items and seeds
};

struct store_check {
    store_status has;
    std::vector<std::string> lost, warnings;    // sentences
};

class relay_store {
public:
    // Makes the folder when it is not there. Removes files nobody knows. A damaged index is put aside and made anew
    // (recovery.hpp). errc::wrong_secret, errc::full, ...
    static result<std::unique_ptr<relay_store>> open(const std::filesystem::path& folder, const crypto::row_key& key,
                                                     store_limits limits = {});
    ~relay_store();
    const recovery_report& recovered() const { return recovered_; }
    // Opens every row, looks at every file. Changes nothing.
    result<store_check> check() const;

    // Group commit: all jobs in one transaction, one sync; their results after it. A job that is refused changes
    // nothing and leaves the others alone; an error of the disk is the result of all. A job may run twice.
    using job = std::function<result<void>(change&)>;
    std::vector<result<void>> write(std::span<const job> jobs);
    result<void> write_one(const job& j);

    result<std::optional<slot_facts>> slot(const id16& slot) const;
    result<item_list> items(const id16& slot, std::uint64_t after, std::size_t count) const;      // errc::no_slot
    // What an upload has, also what is not synced yet. errc::not_found.
    result<seed_state> seed(const bytes32& where, std::int64_t now) const;
    // Appends a piece at `offset`, which must be what is here. Syncs each sync_step_bytes, and at the end before it
    // says that the seed is whole. errc::not_found, errc::wrong_offset, errc::too_large, errc::relay_full.
    result<seed_state> put_seed(const bytes32& where, std::uint64_t offset, bytes_view data, std::int64_t now);
    // Of whole seeds only. errc::not_found.
    result<seed_piece> read_seed(const bytes32& where, std::uint64_t offset, std::size_t length_bytes) const;
    // Ends what is due: at most sweep_rows_max rows; call again while it returns that many. idle_slots: also slots that
    // nobody has asked for.
    result<std::size_t> sweep(std::int64_t now, bool idle_slots = true);
    result<store_status> status() const;
    const store_limits& limits() const { return limits_; }

private:
    relay_store(std::filesystem::path folder, store_limits limits)
        : folder_(std::move(folder)), limits_(limits), marks_(folder_, "index"), files_(folder_ / "seeds") {}
    result<void> recover();
    result<std::optional<seed_row>> seed_row_of(const tag16& seed) const;
    result<void> checkpoint(const tag16& seed, seed_files::upload& one);
    result<void> make_room_for_uploads();

    const std::filesystem::path folder_;
    const store_limits limits_;
    view_marks marks_;
    recovery_report recovered_;
    std::unique_ptr<index> index_;
    mutable seed_files files_;
};

}  // namespace pp::storage::relay

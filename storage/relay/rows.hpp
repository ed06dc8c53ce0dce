// The rows of a relay's index as values (storage/relay/README.md). Little endian; keys in index.hpp's tables:
//
//   slot       tag(slot id)            slot_row          number     u64                  tag(slot id)
//   item       number | seq            item_row          item_hash  number | tag(hash)   u64 seq
//   spent      number | tag(serial)    spent_row         seed       tag(locator)         seed_row
//   seed_of    number | tag(locator)   -                 owner      tag(owner)           u32 slots
//   invite     tag(token)              invite_row        meta       "totals"             totals
//   due        hour u32 | kind u8 | the rest of the key that ends then                   -
#pragma once

#include "storage/relay/index.hpp"

namespace pp::storage::relay {

using bytes32 = std::array<std::byte, 32>;
using id16 = std::array<std::byte, 16>;

inline constexpr std::int64_t hour_s = 3600;                // ends are told in hours: less is known of when things came
inline constexpr std::string_view totals_key = "totals";    // in table meta

struct slot_row {
    std::uint64_t number = 0;            // never used twice
    bytes32 key{}, tokens{}, previous_tokens{};
    std::uint8_t stranger_bits = 255;
    tag16 owner{};
    std::uint64_t last = 0;              // greatest seq ever used
    std::uint32_t items = 0, stranger_items = 0, spent = 0;
    std::uint64_t seed_bytes = 0, stranger_seed_bytes = 0;
    std::uint32_t ends = 0;              // hour; moved on when the owner comes
};
struct item_row {
    std::uint32_t ends = 0;
    id16 serial{};                       // zeros: a stranger's
    bytes item;
};
struct spent_row {
    std::uint32_t ends = 0;
    tag16 item{}, seed{};                // what it paid for; zeros: not yet
};
enum class seed_phase : std::uint8_t { partial, whole, deleted };
struct seed_row {
    std::uint64_t number = 0;            // of the slot it counts against
    bool stranger = false;
    std::uint64_t size_bytes = 0, synced_bytes = 0;
    seed_phase phase = seed_phase::partial;
    bytes32 deletion{};
    std::uint32_t ends = 0;
};
struct invite_row {
    std::uint32_t uses = 0, ends = 0;
};
struct totals {
    std::uint64_t next_number = 1;
    std::uint64_t slots = 0, items = 0, seeds = 0, seed_bytes = 0;
};
enum class due_kind : std::uint8_t { item = 1, seed = 2, spent = 3, slot = 4, invite = 5 };

bytes encode(const slot_row&);
bytes encode(const item_row&);
bytes encode(const spent_row&);
bytes encode(const seed_row&);
bytes encode(const invite_row&);
bytes encode(const totals&);
template <class Row>
result<Row> decode_row(bytes_view);      // errc::damaged

// Hours since 1970: the first whole one not before this moment. Times are no finer on disk.
std::uint32_t hour_of(std::int64_t unix_s);

}  // namespace pp::storage::relay

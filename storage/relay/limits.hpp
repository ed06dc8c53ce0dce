// Limits of what waits at a relay. The numbers a relay announces (proto/relay/SPEC.md, "INFO") are of its
// configuration; these are their defaults and the bounds around them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pp::storage::relay {

struct store_limits {
    // of one slot
    std::uint32_t items_max = 10240;                        // 10 MiB (04-network 4.5.5)
    std::uint32_t item_ttl_s = 30 * 86400;
    std::uint64_t seed_total_max = 1ull << 30;
    std::uint64_t seed_bytes_max = 1ull << 30;              // of one seed
    std::uint32_t seed_ttl_s = 14 * 86400;
    std::uint32_t spent_max = 16384;                        // serials that are remembered: 200 deliveries a day
    // of all
    std::uint32_t slots_max = 10000;
    std::uint32_t slots_per_owner_max = 4;
    std::uint64_t bytes_total_max = 0;                      // items and seeds; 0: what the disk has
    std::uint64_t reserve_bytes = 32ull << 20;              // nothing new when the disk has less
    std::uint64_t index_checked_bytes = 64ull << 20;        // a larger index that was closed gets a short look only
};

inline constexpr std::uint32_t stranger_share = 4;          // strangers have a quarter of a slot
inline constexpr std::uint64_t stranger_seed_bytes_max = 1ull << 20;
inline constexpr std::uint32_t slot_idle_s_max = 180 * 86400;   // a slot nobody has asked for since: closed
inline constexpr std::size_t item_bytes_max = 1024;         // proto/peer/SPEC.md, "Notification"
inline constexpr std::uint64_t sync_step_bytes = 8ull << 20;    // of an upload: no more is lost by a crash
inline constexpr std::size_t uploads_open_max = 64;         // files kept open between pieces
inline constexpr std::size_t list_items_max = 256;
inline constexpr std::size_t sweep_rows_max = 1000;         // of one commit: others wait no longer than that
inline constexpr std::uint64_t index_map_bytes = 64ull << 20;   // at first; it doubles
inline constexpr unsigned index_readers_max = 256;

}  // namespace pp::storage::relay

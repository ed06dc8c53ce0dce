// Every limit and time of the relay's protocol (proto/relay/SPEC.md, "Limits"; 04-network 4.5.5 and 4.5.7). What a
// relay announces is its own choice within these.
#pragma once

#include "crypto/work.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pp::relay {

// ------------------------------------------------------------------ messages
inline constexpr std::size_t item_bytes = 1024;                     // proto/peer/SPEC.md, "Notification": always
inline constexpr std::size_t piece_bytes_max = 256 * 1024;          // of a seed: the credit of one stream
inline constexpr std::size_t request_bytes_max = 2 * 1024;          // "relay/1": a deposit
inline constexpr std::size_t reply_bytes_max = 40 * 1024;           // "relay/1": a full list
inline constexpr std::size_t seed_message_bytes_max = piece_bytes_max + 1024;   // "relay-seed/1", both ways
inline constexpr std::size_t list_items_max = 32;                   // an answer of 34 KiB
inline constexpr std::size_t delete_items_max = 128;
inline constexpr std::size_t endpoint_bytes_max = 128;              // as in the peer protocol
inline constexpr std::size_t endpoints_max = 4;                     // of a link's text
inline constexpr std::size_t slot_address_bytes_max = 200;          // an entry of an account record
inline constexpr std::size_t link_bytes_max = 1024;                 // "peerpost:relay/...", typed or scanned

// ------------------------------------------------------------------ what one link may do
inline constexpr std::size_t attached_slots_max = 8;                // of one link; accounts of one node
// of one link: signatures, tokens, work that are wrong
inline constexpr std::uint32_t failed_proofs_max = 8;

// ------------------------------------------------------------------ proof of work: Argon2id, one pass, one lane
inline constexpr std::uint8_t work_bits_max = crypto::work::bits_max;
inline constexpr std::uint8_t work_bits_default = 8;                // 2^8 tries: about 2 s (06-security 6.1.4)
inline constexpr std::uint8_t work_closed = 255;                    // no work is enough

// ------------------------------------------------------------------ delivery tokens
inline constexpr std::uint16_t token_weeks_max = 12;                // how far ahead a token may be good
inline constexpr std::int64_t week_s = 7 * 86400;

// ------------------------------------------------------------------ seeds
inline constexpr std::uint64_t seed_bytes_min = 16 * 1024;          // the smallest size on the wire
inline constexpr std::uint64_t seed_bytes_max = std::uint64_t{1} << 48;
inline constexpr unsigned seed_steps_per_power = 8;                 // sizes differ by an eighth of a power of two
inline constexpr unsigned setbacks_max = 8;                         // of one upload: a relay that keeps losing bytes

// ------------------------------------------------------------------ times
inline constexpr std::uint32_t poll_default_s = 300;                // mean interval of who keeps no link
inline constexpr std::uint32_t poll_min_s = 10;
inline constexpr std::uint32_t poll_max_s = 86400;
inline constexpr std::chrono::milliseconds hint_pause{200};         // hints of one slot come no faster
inline constexpr std::uint32_t reservation_s_max = 3600;
inline constexpr auto join_timeout = std::chrono::seconds(10);      // of both sides, from the answer to CONNECT

// ------------------------------------------------------------------ circuits
inline constexpr std::size_t circuits_per_client_max = 8;
inline constexpr std::uint64_t circuit_burst_bytes = 4ull << 20;
inline constexpr std::uint32_t circuit_rate_bytes_per_s = 128 * 1024;   // after the burst
inline constexpr std::uint64_t circuit_bytes_max = 256ull << 20;
inline constexpr auto circuit_time_max = std::chrono::minutes(30);
inline constexpr std::size_t circuit_buffer_bytes = 16 * 1024;      // each way: a byte pipe keeps no more

}  // namespace pp::relay

// The bytes of a log segment: its header, the frames in it, the signed head (storage/FORMAT.md, "Segment", "Frame",
// "Head"). Pure: no file is touched here; every parser takes hostile bytes.
#pragma once

#include "crypto/merkle.hpp"
#include "storage/account_store.hpp"
#include "storage/limits.hpp"

namespace pp::storage {

inline constexpr std::size_t segment_header_bytes = 4096;
inline constexpr std::size_t frame_header_bytes = 24;
inline constexpr std::size_t frame_hash_bytes = 32;
inline constexpr std::size_t frame_body_step_bytes = 64;    // hides exact lengths
inline constexpr std::size_t head_body_bytes = 192;         // 152 used
inline constexpr std::uint16_t log_format_version = 1;

enum class frame_type : std::uint8_t { inline_blob = 1, entry = 2, head = 3, skip = 4, checkpoint = 5 };

// What the log needs of the account's keys, derived once.
struct log_keys {
    explicit log_keys(const account_keys& keys);
    crypto::signing_key drive;
    crypto::row_key entry;              // seals entries
    crypto::drive_key drive_public;
    crypto::discovery_key discovery;
    std::array<std::byte, 16> check;    // tells a wrong log key from a damaged log
};

// Where the log stands after a head: all that is needed to append, and to go on verifying, from there.
struct log_position {
    std::uint64_t generation = 1, segment = 1;
    std::uint64_t offset = segment_header_bytes;   // in the segment: the next frame begins here
    std::uint64_t first_byte = 0;                  // of the segment in the whole log
    std::uint64_t head_offset = 0;                 // of the last head's frame in the segment; 0: none in it yet
    crypto::merkle::accumulator frames;            // count() is the seq of the next frame
    crypto::hash256 last_head;                     // frame hash of the last head; zeros before the first
    std::uint64_t clock = 0;                       // hybrid logical clock of the last head: ms << 16 | counter

    std::uint64_t seq() const { return frames.count(); }
    bytes encode() const;
    static result<log_position> decode(bytes_view in);
};

// Segment header for a segment that begins at `at` (its offset is not used).
bytes encode_segment_header(const log_position& at, const log_keys& keys);
struct segment_header {
    log_position at;
    std::array<std::byte, 32> discovery;
    std::array<std::byte, 16> log_key_check;
};
// errc::damaged, errc::newer_format
result<segment_header> parse_segment_header(bytes_view header);

struct frame_header {
    std::uint32_t body_bytes = 0;
    std::uint64_t seq = 0;
    frame_type type = frame_type::entry;
    bool operator==(const frame_header&) const = default;

    std::uint64_t frame_bytes() const { return frame_header_bytes + std::uint64_t{body_bytes} + frame_hash_bytes; }
};
std::array<std::byte, frame_header_bytes> encode_frame_header(const frame_header& h);
// nullopt: these are no frame header (zeros, or damage).
std::optional<frame_header> parse_frame_header(bytes_view in);
std::size_t padded_body_bytes(std::size_t n);
crypto::hash256 frame_hash(bytes_view header, bytes_view body);

struct head {
    std::uint64_t count = 0;        // frames before this one, in the whole generation
    std::uint64_t byte_end = 0;     // position of this frame in the whole log
    crypto::hash256 root;           // over their frame hashes
    std::uint64_t clock = 0;
    crypto::hash256 previous;       // frame hash of the head before; zeros for the first
    crypto::signature sig;
    bool operator==(const head&) const = default;
};
bytes encode_head(head h, std::uint64_t generation, const log_keys& keys);   // signs
// errc::damaged also when the signature does not fit.
result<head> parse_head(bytes_view body, std::uint64_t generation, const crypto::drive_key& drive);

// An entry's frame body out of its operations' bytes, and back.
bytes seal_entry(bytes_view operations, std::uint64_t generation, std::uint64_t seq, const log_keys& keys);
result<bytes> open_entry(bytes_view frame_head, bytes_view body, std::uint64_t generation, const log_keys& keys);

}  // namespace pp::storage

// Every limit of the store in one place. Reaching one is errc::limit (or errc::full where it says so), never a crash.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pp::storage {

// Names and small values.
// RFC 9051 sets none; below an IMAP line of 8 KiB in UTF-7
inline constexpr std::size_t mailbox_name_bytes_max = 1000;
inline constexpr std::size_t mailbox_levels_max = 64;             // as mime_depth_max: nothing sane nests deeper
inline constexpr std::size_t mailboxes_max = 10000;               // LIST decrypts every row: 10 ms
inline constexpr std::size_t subscriptions_max = 10000;           // names without a mailbox
inline constexpr std::size_t keywords_per_mailbox_max = 1024;     // in use at one time; a mail has at most 64
inline constexpr std::size_t setting_name_bytes_max = 255;
inline constexpr std::size_t setting_bytes_max = 1024 * 1024;
inline constexpr std::size_t row_bytes_max = 1024 * 1024;         // one record of delivery or people, encoded

inline constexpr std::size_t metadata_entry_bytes_max = 255;      // a name; RFC 5464 sets none
inline constexpr std::size_t metadata_value_bytes_max = 16 * 1024;   // RFC 5464 section 4.1: at least 1024
inline constexpr std::size_t metadata_entries_max = 256;          // of one mailbox; RFC 5464 section 4.1: at least 10
// Message-IDs of one mail that lead to its thread: the first and the last of its References name root and parent.
inline constexpr std::size_t thread_tags_max = 64;

// BODYSTRUCTURE of a mail as text, kept beside its index; a longer one is made from the index each time.
inline constexpr std::size_t structure_text_bytes_max = 4096;

// Tables that outsiders can make grow.
inline constexpr std::uint64_t seen_rows_max = 1'000'000;         // replay guard; the oldest goes
inline constexpr std::uint64_t vanish_rows_max = 4096;            // per mailbox; older ones are merged into one

// The log. A frame's body length is a u32; these keep a hostile one from being believed.
inline constexpr std::size_t entry_bytes_max = 64 * 1024 * 1024;  // one job's operations
inline constexpr std::size_t frame_body_bytes_max = entry_bytes_max + 4096;
inline constexpr std::size_t replay_batch_entries = 1024;         // 03-storage 3.7

// The full-text index. A segment of segment_span_max mails with indexed_trigrams_max trigrams each could not be larger.
inline constexpr std::uint32_t text_segment_pages_max = 8'000'000;
// per commit: 256 KiB, a delivery waits no longer than that
inline constexpr std::size_t text_batch_pages = 64;
// more are answered with "any": reading them costs most
inline constexpr std::uint64_t text_candidates_max = 65536;

// Rows that wait in memory for the next commit of the view (storage/fresh_rows.hpp). A crash has to apply again from
// the log what they say: a quarter of a second for the first of these.
inline constexpr std::size_t fresh_bytes_max = 4 * 1024 * 1024;          // then the view is committed
inline constexpr std::size_t fresh_group_bytes_max = 24 * 1024 * 1024;   // a group that writes more goes to LMDB itself

// UIDs of mailboxes that were opened last (storage/uid_lists.hpp): half a MiB of ranges in each store.
inline constexpr std::size_t uid_lists_max = 64;
inline constexpr std::size_t uid_list_ranges_max = 65536;

// Work per call.
inline constexpr std::size_t zero_step_bytes = 1024 * 1024;       // zero-written under the log's lock at one time
inline constexpr std::size_t blob_write_bytes = 256 * 1024;       // of a large mail: held in memory, then written
inline constexpr std::uint64_t writeback_step_bytes = 512 * 1024;  // then the disk begins, while the mail still comes
inline constexpr std::size_t first_unseen_steps_max = 64;         // rows the hint moves on per change

inline constexpr std::size_t row_key_bytes_max = 48;              // row_name holds no more
inline constexpr unsigned view_readers_max = 1024;
inline constexpr unsigned view_attempts_max = 2;                  // starts that died while opening the view
inline constexpr std::uint64_t keyring_file_bytes_max = 16ull << 20;

}  // namespace pp::storage

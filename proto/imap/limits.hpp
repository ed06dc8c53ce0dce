// The limits of the IMAP server machine, each with its source.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pp::imap {

// A line, and a whole command with its literals (the mail of APPEND is not counted: it streams). 06-security 6.1.3.
inline constexpr std::size_t command_bytes_max = 64 * 1024;              // RFC 7162 section 4 asks for 8192 at least
inline constexpr std::size_t command_before_login_bytes_max = 8 * 1024;
inline constexpr std::size_t arguments_max = 4096;                       // of one command; 06-security 6.1.3
inline constexpr unsigned nesting_max = 32;                              // parentheses; 06-security 6.1.3
inline constexpr std::size_t tag_bytes_max = 128;                        // RFC 9051 names none; clients use 4 to 20
inline constexpr std::size_t mailbox_name_bytes_max = 1024;              // UTF-8, as the store keeps it
inline constexpr std::size_t list_patterns_max = 64;                     // of one LIST
inline constexpr std::size_t id_pairs_max = 30;                          // RFC 2971 section 3.3
// of one APPEND: each holds up to 64 KiB until the end
inline constexpr std::size_t appended_mails_max = 256;
// of one CATENATE part; a mailbox name percent-encoded
inline constexpr std::size_t url_bytes_max = 4096;
// of one command; as many as a mailbox can have
inline constexpr std::size_t metadata_entries_asked_max = 256;
inline constexpr std::size_t metadata_value_bytes_max = 16 * 1024;       // RFC 5464 section 4.1 asks for 1024 at least
inline constexpr std::size_t metadata_name_bytes_max = 255;
inline constexpr std::size_t append_piece_bytes_max = 64 * 1024;         // imap/events.hpp, append_chunk
// A literal that is refused but sent nonetheless is read up to this size; beyond, the connection ends.
inline constexpr std::uint64_t discarded_bytes_max = std::uint64_t(4) << 30;
// APPENDs of one client whose commits are under way together, and the largest mail of them (held until it is durable).
inline constexpr std::size_t appends_under_way_max = 32;
inline constexpr std::uint64_t append_under_way_bytes_max = 64 * 1024;

// NOTIFY (RFC 5465): each survey reads one small row per mailbox, some milliseconds for so many; beyond, the client is
// told NOTIFICATIONOVERFLOW (section 5.8).
inline constexpr std::size_t notify_mailboxes_max = 10'000;
inline constexpr std::size_t notify_groups_max = 64;                     // of one NOTIFY SET
inline constexpr std::size_t notify_names_max = 1024;                    // of one group
// Ranges of one VANISHED response, at most 11 KiB of it: RFC 7162 section 4 thinks of lines of 8 KiB.
inline constexpr std::size_t vanished_ranges_per_line = 512;

// Compared, searched or put together by one command before other connections have a turn: some milliseconds.
inline constexpr std::size_t work_bytes_per_turn = 1024 * 1024;

inline constexpr int bad_commands_before_login_max = 3;                  // 06-security 6.1.2
// a flood of strangers must not hold up a login
inline constexpr int commands_before_login_max = 100;
inline constexpr int bad_commands_in_a_row_max = 20;                     // what Dovecot allows a client after login
inline constexpr int failed_logins_max = 5;                              // of one connection
inline constexpr auto login_time_max = std::chrono::seconds(60);         // 06-security 6.1.3, "idle connections"
inline constexpr auto inactivity_max = std::chrono::minutes(30);         // RFC 9051 section 5.4: at least 30 minutes
inline constexpr auto progress_every = std::chrono::seconds(10);         // RFC 9585 section 4: 10 to 15 seconds
inline constexpr auto idle_reminder_every = std::chrono::minutes(2);     // 05-mail-protocols 5.2.6, rule 9

}  // namespace pp::imap

// Every limit of the POP3 machine, with its source.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pp::pop3 {

inline constexpr std::size_t command_line_bytes_max = 512;       // RFC 2449 section 4: at least 255, with CRLF
inline constexpr std::size_t auth_line_bytes_max = 12288;        // RFC 4954 section 4, as for SMTP
inline constexpr std::size_t read_piece_bytes_max = 64 * 1024;   // proto/pop3/events.hpp, read_body
inline constexpr std::size_t number_digits_max = 10;             // a message number or a count of lines
inline constexpr std::uint32_t lines_max = 0xffffffffu;          // of TOP
// A maildrop in memory is 32 bytes for a message. What is beyond is shown when the older ones have been deleted.
inline constexpr std::size_t maildrop_messages_max = 100000;

inline constexpr int bad_commands_before_login_max = 3;          // 06-security 6.1.2
inline constexpr int commands_before_login_max = 100;            // a flood of strangers must not hold up a login
inline constexpr int bad_commands_after_login_max = 20;          // as SMTP (02-architecture 2.6)

inline constexpr std::chrono::seconds login_timeout{60};         // from the connection on; 06-security 6.1.3
inline constexpr std::chrono::minutes inactivity_timeout{10};    // RFC 1939 section 3: at least 10 minutes

}  // namespace pp::pop3

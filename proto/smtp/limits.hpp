// Every limit of the submission machine, with its source.
#pragma once

#include <chrono>
#include <cstddef>

namespace pp::smtp {

// RFC 5321 section 4.5.3.1.4 gives 512; MAIL may add 26 (SIZE) + 17 (BODY) + 10 (SMTPUTF8) + 127 (RET, ENVID) + 500
// (AUTH=), RCPT 528 (NOTIFY, ORCPT), and a path in UTF-8 is longer than one in ASCII.
inline constexpr std::size_t command_line_bytes_max = 2048;
inline constexpr std::size_t auth_line_bytes_max = 12288;       // RFC 4954 section 4
inline constexpr std::size_t reply_line_bytes_max = 512;        // RFC 5321 section 4.5.3.1.5, with CRLF
inline constexpr std::size_t body_chunk_bytes_max = 64 * 1024;  // proto/smtp/server_session.hpp, body_chunk
inline constexpr std::size_t recipients_max = 100;              // RFC 5321 section 4.5.3.1.8: at least 100
inline constexpr std::size_t envid_bytes_max = 100;             // RFC 3461 section 4.4
inline constexpr std::size_t orcpt_bytes_max = 500;             // RFC 3461 section 4.2
inline constexpr std::size_t size_digits_max = 20;              // RFC 1870 section 3 and 4, RFC 3030 section 2
inline constexpr std::size_t hold_for_digits_max = 9;           // RFC 4865 section 4
inline constexpr std::size_t parameters_max = 16;               // of MAIL or RCPT; fewer exist

inline constexpr int bad_commands_before_login_max = 3;         // 06-security 6.1.2
inline constexpr int commands_before_login_max = 100;           // a flood of strangers must not hold up a login
inline constexpr int bad_commands_after_login_max = 20;         // repeated abuse ends the session (02-architecture 2.6)

inline constexpr std::chrono::seconds login_timeout{60};        // from the connection on; 06-security 6.1.3
inline constexpr std::chrono::minutes command_timeout{5};       // RFC 5321 section 4.5.3.2.7
inline constexpr std::chrono::minutes data_timeout{3};          // RFC 5321 section 4.5.3.2.5

}  // namespace pp::smtp

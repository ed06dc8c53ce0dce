// The daemon's log: one logger per area, fields and not prose (02-architecture 2.7):
//
//   log(area::peer).info("link={} peer={} event=notified took_ms={}", 41, "ab12cd", 12);
//   2026-11-22T07:00:00.123Z info area=peer link=41 peer=ab12cd event=notified took_ms=12
//
// To standard error. Under systemd without the time, with the priority prefix the journal reads. Never at info or
// above: subjects, addresses of third parties, keys. Text from outside goes through field(). Thread-safe.
#pragma once

#include "daemon/services/config.hpp"

#include <spdlog/logger.h>

#include <chrono>
#include <functional>

namespace pp::services {

enum class area : std::uint8_t { imap, smtp, pop3, peer, store, delivery, control, main };

// Lines that differ in numbers only are one kind; of a kind, info and above, repeats_max are written per window, the
// others counted and told in one line ("suppressed=120") when the window is over.
inline constexpr std::uint32_t log_repeats_max = 20;
inline constexpr std::chrono::seconds log_repeat_window{10};
inline constexpr std::size_t log_kinds_max = 1024;     // kinds counted at one time: bounds the memory
inline constexpr std::size_t log_line_bytes_max = 8192;

// Sets the level and installs the hook of PP_ASSERT that flushes. Before it, lines of info and above are written.
void start_log(const config& c);
spdlog::logger& log(area a);
void flush_log();

// A value for a field: as it is when it is plain, else in quotes with everything but printable ASCII escaped; cut after
// 200 bytes.
std::string field(std::string_view value);

// For tests: lines go to this function instead of standard error (nullptr: back).
void redirect_log(std::function<void(std::string_view line)> to);

}  // namespace pp::services

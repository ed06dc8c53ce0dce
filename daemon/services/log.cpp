// spdlog with one sink of ours: it knows the journal, limits repeated lines and lets no control character through.
#include "daemon/services/log.hpp"

#include "crypto/assert.hpp"

#include <spdlog/sinks/base_sink.h>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <unordered_map>

namespace pp::services {

namespace {

constexpr std::array<const char*, 8> area_names{"imap", "smtp", "pop3", "peer", "store", "delivery", "control", "main"};

// systemd sets JOURNAL_STREAM to "device:inode" of the stream it reads; another redirection makes it wrong.
bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat info {};
    return stream && fstat(STDERR_FILENO, &info) == 0 && fmt::format("{}:{}", info.st_dev, info.st_ino) == stream;
}

// Priorities of syslog (RFC 5424 section 6.2.1) as the journal reads them at the start of a line.
int priority(spdlog::level::level_enum level) {
    switch (level) {
    case spdlog::level::critical: return 2;
    case spdlog::level::err: return 3;
    case spdlog::level::warn: return 4;
    case spdlog::level::info: return 6;
    default: return 7;
    }
}

std::string_view level_name(spdlog::level::level_enum level) {
    const auto name = spdlog::level::to_string_view(level);
    return level == spdlog::level::warn ? "warn" : std::string_view(name.data(), name.size());
}

// What lines of one kind have in common: runs of digits are taken out.
std::string kind_of(std::string_view area, std::string_view text) {
    std::string kind(area);
    bool in_number = false;
    for (const char c : text) {
        const bool digit = c >= '0' && c <= '9';
        if (!digit || !in_number) kind += digit ? '#' : c;
        in_number = digit;
    }
    return kind;
}

class house_sink : public spdlog::sinks::base_sink<std::mutex> {
public:
    void redirect(std::function<void(std::string_view)> to) {
        const std::lock_guard guard(mutex_);
        redirected_ = std::move(to);
        kinds_.clear();
    }

protected:
    void sink_it_(const spdlog::details::log_msg& msg) override {
        const std::string_view area(msg.logger_name.data(), msg.logger_name.size());
        const std::string_view text(msg.payload.data(), msg.payload.size());
        tell_suppressed(msg.time);
        if (msg.level >= spdlog::level::info && msg.level < spdlog::level::critical && suppressed(area, text, msg.time))
            return;
        write(msg.time, msg.level, area, text);
    }
    void flush_() override { std::fflush(stderr); }

private:
    struct kind {
        spdlog::log_clock::time_point since;
        std::uint32_t lines = 0;
        std::string area, sample;
    };

    bool suppressed(std::string_view area, std::string_view text, spdlog::log_clock::time_point now) {
        auto name = kind_of(area, text);
        auto found = kinds_.find(name);
        if (found == kinds_.end()) {
            if (kinds_.size() >= log_kinds_max) return false;
            found = kinds_.emplace(std::move(name), kind{now, 0, std::string(area), std::string(text.substr(0, 200))})
                        .first;
        }
        return ++found->second.lines > log_repeats_max;
    }

    // Closes windows that are over; a clock that went back closes them too.
    void tell_suppressed(spdlog::log_clock::time_point now) {
        if (now >= next_sweep_ - log_repeat_window && now < next_sweep_) return;
        next_sweep_ = now + log_repeat_window / 10;
        for (auto it = kinds_.begin(); it != kinds_.end();) {
            const kind& k = it->second;
            if (now >= k.since && now < k.since + log_repeat_window) {
                ++it;
                continue;
            }
            if (k.lines > log_repeats_max)
                write(now, spdlog::level::warn, k.area,
                      fmt::format("event=repeated suppressed={} line={}", k.lines - log_repeats_max, field(k.sample)));
            it = kinds_.erase(it);
        }
    }

    void write(spdlog::log_clock::time_point now, spdlog::level::level_enum level, std::string_view area,
               std::string_view text) {
        std::string line;
        if (journal_ && !redirected_) {
            line = fmt::format("<{}>", priority(level));
        } else {
            const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
            line = fmt::format("{:%FT%T}.{:03}Z {} ", fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000,
                               level_name(level));
        }
        line += fmt::format("area={} ", area);
        for (const char c : text.substr(0, log_line_bytes_max)) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x20 || byte == 0x7f)
                line += fmt::format("\\x{:02x}", byte);
            else
                line += c;
        }
        if (redirected_) return redirected_(line);
        line += '\n';
        std::fwrite(line.data(), 1, line.size(), stderr);
    }

    const bool journal_ = stderr_is_journal();
    std::unordered_map<std::string, kind> kinds_;
    spdlog::log_clock::time_point next_sweep_{};
    std::function<void(std::string_view)> redirected_;
};

struct loggers {
    std::shared_ptr<house_sink> sink = std::make_shared<house_sink>();
    std::vector<std::unique_ptr<spdlog::logger>> of_area;
    loggers() {
        for (const char* name : area_names) of_area.push_back(std::make_unique<spdlog::logger>(name, sink));
    }
};

// Never destroyed: threads that end late may still log.
loggers& all() {
    static auto* made = new loggers;
    return *made;
}

void assertion_hook(const char* what, const char* file, int line) {
    log(area::main).critical("event=broken_invariant what={} file={} line={}", field(what), file, line);
    flush_log();
}

}  // namespace

void start_log(const config& c) {
    const auto level = c.log.level == "error" ? spdlog::level::err : spdlog::level::from_str(c.log.level);
    for (auto& logger : all().of_area) logger->set_level(level);
    set_broken_invariant_hook(assertion_hook);
}

spdlog::logger& log(area a) { return *all().of_area[static_cast<std::size_t>(a)]; }

void flush_log() { all().sink->flush(); }

std::string field(std::string_view value) {
    constexpr std::size_t bytes_max = 200;
    const auto plain = [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '=' && c != '\\'; };
    const auto cut = value.substr(0, bytes_max);
    if (!value.empty() && cut.size() == value.size() && std::all_of(cut.begin(), cut.end(), plain))
        return std::string(cut);
    std::string out = "\"";
    for (const char c : cut) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f)
            out += fmt::format("\\x{:02x}", byte);
        else if (c == '"' || c == '\\')
            out += {'\\', c};
        else
            out += c;
    }
    return out + (cut.size() < value.size() ? "...\"" : "\"");
}

void redirect_log(std::function<void(std::string_view line)> to) { all().sink->redirect(std::move(to)); }

}  // namespace pp::services

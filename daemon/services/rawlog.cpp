// Files of mode 0600 in a directory of mode 0700; see rawlog.hpp for what is masked. After a credential line everything
// is hidden until success, even across failures: too much is hidden rather than too little (RFC 9051 section 6.2.3,
// RFC 4954 section 4).
#include "daemon/services/rawlog.hpp"

#include "daemon/services/log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cctype>
#include <ctime>
#include <filesystem>

namespace pp::services {

namespace {

constexpr std::size_t line_bytes_max = 64 * 1024;   // an unfinished line longer than this is hidden

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
    return out;
}

// Splits off the first word; rest begins with the blank, if any.
std::string_view take_word(std::string_view& rest) {
    const auto end = std::min(rest.find_first_of(" \r\n"), rest.size());
    const auto word = rest.substr(0, end);
    rest.remove_prefix(end);
    return word;
}

int make_file(const std::filesystem::path& path) {
    return open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

}  // namespace

std::unique_ptr<rawlog> rawlog::open(const config& c, std::string_view protocol) {
    if (c.log.rawlog.empty()) return nullptr;
    static std::atomic<std::uint64_t> sessions{0};
    static std::atomic<bool> told{false};
    const std::filesystem::path folder = c.log.rawlog;
    std::error_code failed;
    if (std::filesystem::create_directories(folder, failed)) chmod(folder.c_str(), 0700);
    const auto name =
        fmt::format("{}-{:%Y%m%dT%H%M%S}-{}-{}", protocol, fmt::gmtime(std::time(nullptr)), getpid(), ++sessions);
    const int in_file = make_file(folder / (name + ".in"));
    const int out_file = in_file < 0 ? -1 : make_file(folder / (name + ".out"));
    if (out_file < 0) {
        if (in_file >= 0) close(in_file);
        if (!told.exchange(true)) log(area::main).warn("event=rawlog_failed folder={}", field(folder.string()));
        return nullptr;
    }
    return std::unique_ptr<rawlog>(new rawlog(in_file, out_file, protocol));
}

rawlog::~rawlog() {
    if (!in_partial_.empty()) write(in_file_, "***");
    if (!out_partial_.empty()) write(out_file_, out_partial_);
    if (in_file_ >= 0) close(in_file_);
    if (out_file_ >= 0) close(out_file_);
}

void rawlog::in(bytes_view from_client) {
    auto text = as_text(from_client);
    while (state_ != state::open) {
        const auto end = text.find('\n');
        if (end == text.npos) break;
        in_partial_ += text.substr(0, end + 1);
        text.remove_prefix(end + 1);
        in_line(in_partial_);
        in_partial_.clear();
    }
    if (state_ == state::open) {
        write(in_file_, text);
        return;
    }
    in_partial_ += text;
    if (in_partial_.size() > line_bytes_max) {
        state_ = state::hiding;
        tag_.clear();
        in_partial_.assign("*");
    }
}

void rawlog::in_line(std::string_view line) {
    if (state_ == state::hiding) {
        write(in_file_, "***\r\n");
        return;
    }
    auto rest = line;
    const auto tag = imap_ ? take_word(rest) : std::string_view();
    if (imap_ && !rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    const auto verb = upper(take_word(rest));
    if (verb != "LOGIN" && verb != "AUTHENTICATE" && verb != "AUTH" && !(pop3_ && verb == "PASS")) {
        write(in_file_, line);
        return;
    }
    state_ = state::hiding;
    tag_ = tag;
    write(in_file_, std::string(tag) + (imap_ ? " " : "") + verb + " ***\r\n");
}

void rawlog::out(bytes_view to_client) {
    const auto text = as_text(to_client);
    if (state_ == state::open) {
        write(out_file_, text);
        return;
    }
    auto rest = text;
    while (state_ != state::open) {
        const auto end = rest.find('\n');
        if (end == rest.npos) break;
        out_partial_ += rest.substr(0, end + 1);
        rest.remove_prefix(end + 1);
        out_line(out_partial_);
        write(out_file_, out_partial_);
        out_partial_.clear();
    }
    if (state_ == state::open || out_partial_.size() + rest.size() > line_bytes_max) {
        write(out_file_, out_partial_);
        out_partial_.clear();
        write(out_file_, rest);
    } else {
        out_partial_ += rest;
    }
}

// Success: the tagged OK of the command, 235 (RFC 4954 section 6), or what proto/pop3/session_login.cpp says: any other
// "+OK" may be the answer to a command that was sent ahead.
void rawlog::out_line(std::string_view line) {
    if (state_ != state::hiding) return;
    if (imap_   ? !tag_.empty() && line.starts_with(tag_ + " OK")
        : pop3_ ? line.starts_with("+OK the maildrop has ")
                : line.starts_with("235 ")) {
        state_ = state::open;
        if (!in_partial_.empty()) write(in_file_, "***");
        in_partial_.clear();
    }
}

void rawlog::write(int& file, std::string_view text) {
    while (file >= 0 && !text.empty()) {
        const auto n = ::write(file, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            close(file);
            file = -1;
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace pp::services

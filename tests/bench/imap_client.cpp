#include "tests/bench/imap_client.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace pp::bench {

namespace {
constexpr std::size_t buffer_bytes = 1024 * 1024;        // of a client that reads in bulk
constexpr std::size_t first_buffer_bytes = 16 * 1024;    // hundreds of idle clients are cheap

// The size of a literal that a line announces at its end, or nothing.
bool literal_size(std::string_view line, std::size_t& size) {
    if (line.size() < 3 || line.back() != '}') return false;
    const auto open = line.rfind('{');
    if (open == line.npos) return false;
    const auto* last = line.data() + line.size() - 1;
    return std::from_chars(line.data() + open + 1, last, size).ptr == last;
}
}  // namespace

void give_up(const std::string& why) {
    std::fprintf(stderr, "imap_load: %s\n", why.c_str());
    std::exit(1);
}

imap_client::imap_client(const server& where) : in_(first_buffer_bytes) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(where.host.c_str(), where.port.c_str(), &hints, &found) != 0) give_up("no such host");
    fd_ = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd_ < 0 || connect(fd_, found->ai_addr, found->ai_addrlen) != 0) give_up("cannot connect");
    freeaddrinfo(found);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (line().substr(0, 4) != "* OK") give_up("no greeting");
}

imap_client::~imap_client() {
    if (fd_ >= 0) close(fd_);
}

imap_client::imap_client(imap_client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), next_tag_(other.next_tag_), in_(std::move(other.in_)), begin_(other.begin_),
      end_(other.end_) {}

void imap_client::log_in(const server& who) { run("LOGIN \"" + who.user + "\" \"" + who.password + "\""); }

std::string imap_client::send(std::string_view command) {
    std::string tag = "a" + std::to_string(++next_tag_);
    send_raw(tag + " " + std::string(command) + "\r\n");
    return tag;
}

void imap_client::send_raw(std::string_view data) {
    while (!data.empty()) {
        const auto n = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
        if (n <= 0) give_up("the connection was closed while writing");
        data.remove_prefix(static_cast<std::size_t>(n));
    }
}

bool imap_client::fill(bool wait) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == in_.size()) {
        if (begin_ > in_.size() / 2) {
            std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        } else {
            in_.resize(std::max(buffer_bytes, 2 * in_.size()));
        }
    }
    const auto n = recv(fd_, in_.data() + end_, in_.size() - end_, wait ? 0 : MSG_DONTWAIT);
    if (n == 0) give_up("the connection was closed");
    if (n < 0 && !wait && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (n < 0) give_up("cannot read");
    end_ += static_cast<std::size_t>(n);
    return true;
}

std::string_view imap_client::line() {
    std::size_t looked = 0;
    for (;;) {
        const auto* from = in_.data() + begin_;
        const auto* lf = static_cast<const char*>(std::memchr(from + looked, '\n', end_ - begin_ - looked));
        if (lf == nullptr) {
            looked = end_ - begin_;
            fill(true);
            continue;
        }
        const auto length = static_cast<std::size_t>(lf - from) + 1;
        const std::string_view text(from, length >= 2 && lf[-1] == '\r' ? length - 2 : length - 1);
        std::size_t literal = 0;
        if (literal_size(text, literal)) {
            looked = length + literal;
            while (end_ - begin_ < looked) fill(true);
            continue;
        }
        begin_ += length;
        return text;
    }
}

bool imap_client::saw_without_waiting(std::string_view text) {
    for (;;) {
        const std::string_view have(in_.data() + begin_, end_ - begin_);
        const auto lf = have.rfind('\n');
        if (lf != have.npos) {
            const bool seen = have.substr(0, lf).find(text) != have.npos;
            begin_ += lf + 1;
            if (seen) return true;
        }
        if (!fill(false)) return false;
    }
}

answer imap_client::wait(std::string_view tag, bool keep) {
    answer out;
    for (;;) {
        const auto text = line();
        out.bytes += text.size() + 2;
        if (text.size() > tag.size() && text.substr(0, tag.size()) == tag && text[tag.size()] == ' ') {
            if (text.substr(tag.size() + 1, 2) != "OK") give_up("refused: " + std::string(text.substr(0, 200)));
            return out;
        }
        if (text.substr(0, 2) == "* ") ++out.untagged;
        if (keep) out.text.append(text).append("\r\n");
    }
}

std::uint32_t imap_client::select(std::string_view mailbox) {
    const auto text = run("SELECT " + std::string(mailbox), true).text;
    const auto at = text.find(" EXISTS");
    if (at == text.npos) give_up("SELECT told no EXISTS");
    const auto from = text.rfind(' ', at - 1);
    return static_cast<std::uint32_t>(std::strtoul(text.c_str() + from + 1, nullptr, 10));
}

std::string sample_mail(std::uint64_t number, std::size_t bytes) {
    std::uint64_t state = number * 0x9E3779B97F4A7C15u + 1;
    const auto dice = [&](std::uint64_t sides) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state % sides;
    };
    static constexpr const char* words[] = {"meeting", "invoice", "holiday", "garden", "report", "question", "train",
                                            "answer",  "monday",  "weather", "kitchen", "budget", "picture", "river"};
    const auto word = [&] { return std::string(words[dice(std::size(words))]); };
    const auto id = std::to_string(number);
    std::string mail = "Received: from mail.example.org (mail.example.org [192.0.2.7])\r\n"
                       "\tby mx.example.net with ESMTPS id " +
                       id + "\r\n\tfor <me@example.net>; Sun, 22 Nov 2026 10:00:00 +0000\r\n"
                       "From: \"" + word() + " " + word() + "\" <" + word() + id + "@example.org>\r\n"
                       "To: me <me@example.net>, other <" + word() + "@example.net>\r\n"
                       "Subject: " + word() + " about " + word() + " and " + word() + " " + id + "\r\n"
                       "Date: Sun, 22 Nov 2026 10:00:" + std::to_string(10 + dice(50)) + " +0000\r\n"
                       "Message-ID: <" + id + ".bench@example.org>\r\n";
    if (number > 0 && dice(2) == 0) {
        const auto parent = std::to_string(number - 1);
        mail += "In-Reply-To: <" + parent + ".bench@example.org>\r\nReferences: <" + parent + ".bench@example.org>\r\n";
    }
    mail += "MIME-Version: 1.0\r\nX-Mailer: imap_load\r\n";
    const auto prose = [&](std::size_t until) {
        std::string text;
        while (mail.size() + text.size() + 80 < until) {
            std::string row;
            while (row.size() < 66) row += word() + ' ';
            text += row + "\r\n";
        }
        return text;
    };
    if (dice(3) != 0) {
        mail += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
        mail += prose(bytes);
        mail += "number " + id + "\r\n";
        return mail;
    }
    mail += "Content-Type: multipart/mixed; boundary=\"b" + id + "\"\r\n\r\n--b" + id +
            "\r\nContent-Type: multipart/alternative; boundary=\"a" + id + "\"\r\n\r\n--a" + id +
            "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + prose(mail.size() + (bytes - mail.size()) / 2) +
            "--a" + id + "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<p>" +
            word() + "</p>\r\n--a" + id + "--\r\n--b" + id + "\r\nContent-Type: application/octet-stream; name=\"" +
            word() + ".bin\"\r\nContent-Disposition: attachment; filename=\"" + word() +
            ".bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    while (mail.size() + 100 < bytes) {
        for (int i = 0; i < 76; ++i) mail += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"[dice(32)];
        mail += "\r\n";
    }
    return mail + "--b" + id + "--\r\n";
}

}  // namespace pp::bench

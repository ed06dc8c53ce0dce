#include "tests/simulation/mail_user.hpp"

#include "tests/simulation/machine.hpp"

#include <arpa/inet.h>
#include <boost/beast/core/detail/base64.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

namespace pp::sim {

namespace {

// One connection to a service of the own node.
class dialogue {
public:
    dialogue(std::uint32_t server, std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(server);
        to.sin_port = htons(port);
        open_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    }
    ~dialogue() { ::close(fd_); }

    // The code of the reply to these lines; 0: the connection is gone.
    int say(const std::string& text) {
        put(text);
        return hear();
    }
    void put(const std::string& text) {
        for (std::size_t at = 0; open_ && at < text.size();) {
            const auto n = ::send(fd_, text.data() + at, text.size() - at, MSG_NOSIGNAL);
            if (n <= 0) open_ = false;
            else at += static_cast<std::size_t>(n);
        }
    }
    int hear() {
        for (;;) {
            const auto line = hear_line();
            if (line.empty()) return 0;
            if (line.size() < 4 || line[3] != '-') return std::atoi(line.c_str());
        }
    }
    // Of IMAP: the lines up to the tagged one, which says OK; nothing when it does not, or does not come.
    std::optional<std::string> command(const std::string& text) {
        std::string all;
        put("a " + text + "\r\n");
        for (auto line = hear_line(); !line.empty(); line = hear_line()) {
            if (line.starts_with("a ")) return line.starts_with("a OK") ? std::optional(all) : std::nullopt;
            all += line + "\n";
        }
        return std::nullopt;
    }
    std::string hear_line() {   // empty: the connection is gone
        while (open_) {
            if (const auto end = heard_.find("\r\n"); end != heard_.npos) {
                auto line = heard_.substr(0, end);
                heard_.erase(0, end + 2);
                return line;
            }
            char some[1024];
            const auto n = ::recv(fd_, some, sizeof some, 0);
            if (n <= 0) open_ = false;
            else heard_.append(some, static_cast<std::size_t>(n));
        }
        return {};
    }

private:
    int fd_;
    bool open_ = false;
    std::string heard_;
};

std::string base64(const std::string& text) {
    namespace b64 = boost::beast::detail::base64;
    std::string out(b64::encoded_size(text.size()), '\0');
    out.resize(b64::encode(out.data(), text.data(), text.size()));
    return out;
}

}  // namespace

outcome submit(const submission& s) {
    dialogue with(s.server, submission_port);
    // Nothing is at stake before the mail has been given whole.
    const auto good = [&](int code, int wanted) { return code == wanted; };
    const std::string nul(1, '\0');
    if (!good(with.hear(), 220) || !good(with.say("EHLO user\r\n"), 250) ||
        !good(with.say("AUTH PLAIN " + base64(nul + s.user + nul + s.password) + "\r\n"), 235) ||
        !good(with.say("MAIL FROM:<" + s.from + ">\r\n"), 250))
        return outcome::refused;
    for (const auto& to : s.recipients)
        if (!good(with.say("RCPT TO:<" + to + ">\r\n"), 250)) return outcome::refused;
    if (!good(with.say("DATA\r\n"), 354)) return outcome::refused;
    const int code = with.say(s.mail + ".\r\n");
    if (code == 250) return outcome::accepted;
    return code == 0 ? outcome::unknown : outcome::refused;
}

int accept_requests(std::uint32_t server, const std::string& user, const std::string& password) {
    dialogue with(server, imap_port);
    if (with.hear_line().empty() || !with.command("LOGIN " + user + " " + password)) return 0;
    const auto box = with.command("SELECT Requests");
    const auto count = box ? box->find(" EXISTS") : std::string::npos;
    if (!box || count == std::string::npos) return 0;
    const int mails = std::atoi(box->c_str() + box->rfind(' ', count - 1) + 1);
    if (mails > 0) (void)with.command("UID MOVE 1:* INBOX");
    return mails;
}

}  // namespace pp::sim

// A blocking IMAP client for measuring: it understands just enough (tags, literals) to know where an answer ends, and
// costs little beside the server. Errors end the program with a sentence: a measurement that fails is worth nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pp::bench {

struct server {
    std::string host, port, user, password;
};

[[noreturn]] void give_up(const std::string& why);

// What an answer was: untagged responses and all bytes up to and with the tagged line.
struct answer {
    std::size_t untagged = 0, bytes = 0;
    std::string text;   // the untagged lines and literals, when they were to be kept
};

class imap_client {
public:
    explicit imap_client(const server& where);   // connects, reads the greeting
    ~imap_client();
    imap_client(imap_client&& other) noexcept;
    imap_client(const imap_client&) = delete;

    void log_in(const server& who);
    // Sends one command without waiting; gives its tag.
    std::string send(std::string_view command);
    void send_raw(std::string_view data);
    // Reads until the tagged OK; gives up on NO and BAD.
    answer wait(std::string_view tag, bool keep = false);
    answer run(std::string_view command, bool keep = false) { return wait(send(command), keep); }
    // SELECT; gives the number of mails.
    std::uint32_t select(std::string_view mailbox);
    // One line (or line with literals) of the server; the view lives until the next call.
    std::string_view line();
    // Lines that are there already or can be read without waiting are looked through for this text.
    bool saw_without_waiting(std::string_view text);
    int descriptor() const { return fd_; }

private:
    bool fill(bool wait);

    int fd_ = -1;
    unsigned next_tag_ = 0;
    std::vector<char> in_;
    std::size_t begin_ = 0, end_ = 0;
};

// A mail of about this many bytes; the same number gives the same mail. Every third has parts and an attachment.
std::string sample_mail(std::uint64_t number, std::size_t bytes);

}  // namespace pp::bench

// A small mail client of our own for `demo --check`: SMTP submission (RFC 5321, RFC 4954) and IMAP (RFC 9051) over TLS
// checked against the home's CA, or in the clear on loopback. Blocking; every step has a time limit. A failure is
// thrown as mail_client_error with a sentence.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pp::cli {

struct mail_client_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct mail_server {
    std::string address;              // IP address
    std::uint16_t port = 0;
    bool tls = true;                  // implicit
    std::filesystem::path ca_file;    // with tls
};

// One connection that speaks in lines.
class line_connection {
public:
    explicit line_connection(const mail_server& server, std::chrono::seconds limit);   // limit: for each step
    ~line_connection();
    line_connection(line_connection&&) noexcept;

    void write(std::string_view text);
    std::string read_line();                       // without CRLF; at most line_bytes_max
    std::string read_exactly(std::size_t n);

    static constexpr std::size_t line_bytes_max = 64 * 1024;

private:
    struct state;
    std::unique_ptr<state> state_;
};

// Logs in, submits one mail to one recipient, returns after the 250 that ends DATA.
void submit_mail(const mail_server& server, const std::string& user, const std::string& password, const std::string& to,
                 std::string_view mail, std::chrono::seconds limit);

class imap_reader {
public:
    // Logs in and selects INBOX.
    imap_reader(const mail_server& server, const std::string& user, const std::string& password,
                std::chrono::seconds limit);

    std::uint32_t exists() const { return exists_; }
    // IDLE (RFC 2177) until the mailbox holds more than that many mails; the number then.
    std::uint32_t wait_for_more_than(std::uint32_t n);
    std::string fetch_whole(std::uint32_t number);
    void log_out();

private:
    std::string command(std::string_view text);    // the text of its tagged OK
    void note(std::string_view line);

    line_connection connection_;
    int tag_ = 0;
    std::uint32_t exists_ = 0;
};

}  // namespace pp::cli

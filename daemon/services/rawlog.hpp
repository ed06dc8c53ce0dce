// Raw session logs (configuration key log.rawlog): every byte of one client session, as <name>.in and <name>.out. Such
// a pair is a golden test. WARNING: they hold whole mails in the clear. Only credentials are masked: what a client
// sends from a LOGIN, AUTHENTICATE, AUTH or PASS line on, until the server has said that the login has succeeded.
#pragma once

#include "crypto/bytes.hpp"
#include "daemon/services/config.hpp"

#include <memory>
#include <string>

namespace pp::services {

// Belongs to one connection, one thread. A failed write ends the log of this session, never the session.
class rawlog {
public:
    // nullptr when rawlog is off or the files cannot be made (told once in the log).
    // protocol: "imap", "smtp" or "pop3".
    static std::unique_ptr<rawlog> open(const config& c, std::string_view protocol);
    ~rawlog();
    rawlog(const rawlog&) = delete;
    rawlog& operator=(const rawlog&) = delete;

    void in(bytes_view from_client);
    void out(bytes_view to_client);

private:
    enum class state { before_login, hiding, open };

    rawlog(int in_file, int out_file, std::string_view protocol)
        : in_file_(in_file), out_file_(out_file), imap_(protocol == "imap"), pop3_(protocol == "pop3") {}
    void in_line(std::string_view line);
    void out_line(std::string_view line);
    void write(int& file, std::string_view text);

    int in_file_, out_file_;
    bool imap_, pop3_;
    state state_ = state::before_login;
    std::string in_partial_, out_partial_;   // an unfinished line, until the login
    std::string tag_;                        // of the IMAP command that carries the credentials
};

}  // namespace pp::services

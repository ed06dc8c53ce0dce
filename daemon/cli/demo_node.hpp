// One of the two nodes of `demo`: a home in a temporary directory and this same program serving it as a child process.
#pragma once

#include "daemon/cli/context.hpp"
#include "daemon/cli/mail_client.hpp"

#include <sys/types.h>

#include <atomic>

namespace pp::cli {

struct demo_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class demo_node {
public:
    // Makes home, configuration (free loopback ports, LAN discovery off) and account; starts nothing.
    // Throws demo_error.
    demo_node(std::string program, std::filesystem::path home, const std::string& name);
    ~demo_node();   // stop()
    demo_node(const demo_node&) = delete;
    demo_node& operator=(const demo_node&) = delete;

    void start();    // returns when the daemon answers; throws demo_error with the end of its log
    bool running();  // false when the child has ended
    void stop();     // SIGTERM, after a while SIGKILL
    void interrupt() const;   // SIGTERM only: from any thread

    json::object ask(std::string_view command, const json::object& arguments);   // throws demo_error

    const std::string& name() const { return name_; }
    const std::string& address() const { return address_; }
    const std::string& password() const { return password_; }
    mail_server imap(bool tls) const {
        return {"127.0.0.1", tls ? imap_tls_ : imap_plain_, tls, home_.ca_certificate()};
    }
    mail_server smtp(bool tls) const {
        return {"127.0.0.1", tls ? smtp_tls_ : smtp_plain_, tls, home_.ca_certificate()};
    }

private:
    std::filesystem::path log_file() const { return home_.root / "serve.log"; }
    std::string log_end() const;

    std::string program_, name_, address_, password_;
    storage::home_paths home_;
    std::uint16_t imap_tls_ = 0, imap_plain_ = 0, smtp_tls_ = 0, smtp_plain_ = 0;
    std::atomic<pid_t> child_ = -1;
};

// This program's own file: /proc/self/exe, else argv[0] (found in PATH when it has no slash).
std::string own_program(const std::string& argv0);

}  // namespace pp::cli

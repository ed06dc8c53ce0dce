// Somebody at a machine with a mail program: hands in mails over SMTP and remembers what was said about each.
#pragma once

#include "tests/simulation/scheduler.hpp"

#include <string>
#include <vector>

namespace pp::sim {

enum class outcome : std::uint8_t { pending, accepted, refused, unknown };   // unknown: the answer never came

struct sent_mail {
    int number = 0;
    int from = 0;                        // machine numbers
    std::vector<int> to;
    std::size_t bytes = 0;
    outcome what = outcome::pending;
    std::string token() const { return "mail-" + std::to_string(number) + "@simulation"; }   // its Message-ID
};

struct submission {
    std::uint32_t server = 0;            // IPv4
    std::string user, password, from;
    std::vector<std::string> recipients;
    std::string mail;                    // with CRLF line ends
};

// Blocks; on a thread of a user's host.
outcome submit(const submission& s);

// Moves everything in Requests to the inbox with an IMAP client, which accepts the senders; how many mails that were,
// also when the answer never came. Blocks as well.
int accept_requests(std::uint32_t server, const std::string& user, const std::string& password);

}  // namespace pp::sim

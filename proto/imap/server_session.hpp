// The server half of IMAP4rev1 and IMAP4rev2 (RFC 3501, 9051) as a machine. One file per command or family:
// proto/imap/commands. news() tells it that the selected mailbox may have changed; it then asks poll_changes
// at the next moment it may tell the client (RFC 9051 section 5.2, 5.3; at once in IDLE).
#pragma once

#include "proto/imap/events.hpp"
#include "proto/wire/dialogue.hpp"

#include <memory>
#include <string>

namespace pp::imap {

struct session_options {
    bool tls_active = false;
    bool offer_starttls = false;
    bool login_allowed = true;              // false: LOGINDISABLED until STARTTLS
    std::uint64_t append_bytes_max = 0;     // APPENDLIMIT
    std::string server_version;             // for ID
};

class server_session : public wire::dialogue<event, verdict> {
public:
    explicit server_session(session_options options);
    ~server_session() override;

private:
    friend class connection;                // proto/imap/connection.hpp: what the commands share
    wire::task<> converse() override;
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pp::imap

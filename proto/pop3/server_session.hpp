// The server half of POP3 as a machine: RFC 1939 without APOP and LAST, RFC 2449 (CAPA, PIPELINING, RESP-CODES), RFC
// 2595 (STLS), RFC 3206 (AUTH-RESP-CODE), RFC 5034 (AUTH), RFC 6856 (UTF8, LANG).
//
//   AUTHORIZATION --PASS/AUTH--> TRANSACTION --QUIT--> UPDATE
//         '-------- QUIT, end of input: over; nothing is deleted --------'
#pragma once

#include "proto/pop3/events.hpp"
#include "proto/wire/dialogue.hpp"

#include <memory>
#include <string>

namespace pp::pop3 {

struct session_options {
    bool tls_active = false;          // implicit TLS
    bool offer_starttls = false;
    bool login_allowed = true;        // false until TLS on a "starttls" listener
    std::string server_version;       // for IMPLEMENTATION
};

// tick(now) must be called before the first next_event(): the time to log in runs from there.
class server_session : public wire::dialogue<event, verdict> {
public:
    explicit server_session(session_options options);
    ~server_session() override;

private:
    wire::task<> converse() override;
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pp::pop3

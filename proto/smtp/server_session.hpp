// The server half of message submission (RFC 6409) as a machine: bytes in, events out, replies back.
// Implements RFC 5321, 3207, 4954, 1870, 6152, 6531, 2920, 2034, 3030 (CHUNKING, BINARYMIME), 3461 (DSN parameters),
// 4865 (FUTURERELEASE), 9422 (LIMITS).
#pragma once

#include "proto/mail/address.hpp"
#include "proto/sasl/scram.hpp"
#include "proto/smtp/reply.hpp"
#include "proto/wire/dialogue.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace pp::smtp {

struct accepted {   // the verdict on events that can only be noted
    bool operator==(const accepted&) const = default;
};

// AUTH PLAIN and LOGIN end here; the machine forgets the password after the answer.
struct login {
    using answer_type = reply;   // 235, or 535 5.7.8, or 454 4.7.0
    std::string user, password;
    bool operator==(const login&) const = default;
};
enum class dsn_return : std::uint8_t { unset, full, headers };
// MAIL FROM. `from` is empty for the null reverse path.
struct mail_from {
    using answer_type = reply;
    std::optional<mail::address> from;
    std::optional<std::uint64_t> size_bytes;   // SIZE=
    bool body_8bit = false, smtputf8 = false;
    // BODY=BINARYMIME: bare CR, LF and NUL are the mail's (RFC 3030 section 3)
    bool body_binary = false;
    std::optional<std::uint64_t> hold_for_s;   // HOLDFOR= (RFC 4865 section 4); within the limit announced
    std::optional<std::int64_t> hold_until;    // HOLDUNTIL=, in unix seconds; within the limit announced; may be past
    dsn_return ret = dsn_return::unset;        // RFC 3461 section 4.3
    std::string envid;                         // decoded xtext
    bool operator==(const mail_from&) const = default;
};
struct dsn_notify {                            // RFC 3461 section 4.1
    bool given = false, never = false, success = false, failure = false, delay = false;
    bool operator==(const dsn_notify&) const = default;
};
struct recipient {
    using answer_type = reply;
    mail::address to;
    dsn_notify notify;
    std::string orcpt;                         // as sent, "rfc822;..."
    bool operator==(const recipient&) const = default;
};
// DATA or the first BDAT: may still be refused (452, 552) before any byte of it is read.
struct body_begin {
    using answer_type = reply;                 // 354 (positive) or a refusal
    bool operator==(const body_begin&) const = default;
};
// Bytes of the mail as the recipient shall see them: dots removed, line ends as sent. A piece is at most 64 KiB.
struct body_chunk {
    using answer_type = accepted;
    bytes data;
    bool operator==(const body_chunk&) const = default;
};
// End of data: the reply decides, and ends the mail whatever it is. 250 only after the durable commit.
struct body_end {
    using answer_type = reply;
    bool operator==(const body_end&) const = default;
};
// The mail under way (MAIL was accepted; body_end was not asked) is given up: RSET, EHLO, QUIT, a broken body (bare CR
// or LF, too large), a refused BDAT, or the connection is gone.
struct body_abort {
    using answer_type = accepted;
    bool operator==(const body_abort&) const = default;
};
// STARTTLS was accepted and its reply must be written; then the pump does the handshake and answers.
struct start_tls {
    using answer_type = accepted;
    bool operator==(const start_tls&) const = default;
};

using event = std::variant<login, mail_from, recipient, body_begin, body_chunk, body_end, body_abort, start_tls,
                           sasl::scram_begin, sasl::scram_proof>;
using verdict = std::variant<reply, accepted, sasl::scram_terms, sasl::scram_verdict>;

struct session_options {
    std::string host_name = "localhost";
    bool tls_active = false;          // implicit TLS
    bool offer_starttls = false;
    bool login_allowed = true;        // false until TLS on a "starttls" listener
    std::uint64_t size_max = 0;       // bytes; announced by SIZE
    std::uint64_t hold_for_max_s = 0; // the longest a mail is held (FUTURERELEASE); 0: not offered
    std::int64_t hold_until_max = 0;  // the same as a moment, in unix seconds: the machine knows no calendar
    bool keep_bare_line_ends = false; // never true outside tests: bare CR or LF is refused (06-security, smuggling)
};

// tick(now) must be called before the first next_event(): the time to log in (60 s) runs from there.
// To the client any bytes behind STARTTLS, an HTTP word before login and three bad commands before login are the end.
class server_session : public wire::dialogue<event, verdict> {
public:
    explicit server_session(session_options options);
    ~server_session() override;

private:
    wire::task<> converse() override;
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pp::smtp

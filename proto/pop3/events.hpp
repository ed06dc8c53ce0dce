// What the POP3 machine asks the daemon. SCRAM logins ask sasl::scram_begin and sasl::scram_proof instead of login.
#pragma once

#include "crypto/bytes.hpp"
#include "proto/sasl/scram.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace pp::pop3 {

// How a command ends that the daemon refuses: -ERR [code] text.
struct refusal {
    std::string code;      // RFC 3206 section 4: "SYS/TEMP", "SYS/PERM"; RFC 2449 section 8: "IN-USE"; empty: none
    std::string text;      // one plain sentence
    bool operator==(const refusal&) const = default;
};
struct accepted {
    bool operator==(const accepted&) const = default;
};
template <class T>
using outcome = std::variant<T, refusal>;

struct login {
    using answer_type = outcome<accepted>;
    std::string user, password;
    bool operator==(const login&) const = default;
};
// STLS was accepted and its reply must be written; then the pump does the handshake and answers.
struct start_tls {
    using answer_type = accepted;
    bool operator==(const start_tls&) const = default;
};

struct maildrop_entry {
    std::uint32_t uid = 0;                 // names the message in the events below
    std::uint64_t size_bytes = 0;
    std::array<std::byte, 16> object{};    // its unique id, the same in every session (UIDL)
    bool operator==(const maildrop_entry&) const = default;
};
// After the login, once: what stands in INBOX now, oldest first, at most maildrop_messages_max. Nothing is locked: what
// comes later is not seen, what goes meanwhile cannot be read any more.
struct open_maildrop {
    using answer_type = outcome<std::vector<maildrop_entry>>;
    bool operator==(const open_maildrop&) const = default;
};
// At most read_piece_bytes_max from an offset. Shorter than asked only at the end of the mail.
struct read_body {
    using answer_type = outcome<bytes>;
    std::uint32_t uid = 0;
    std::uint64_t offset = 0;
    std::size_t length = 0;
    // The first piece of a RETR, which ends here: it may still be refused for what is known of the others. 0: none.
    std::uint64_t transfer_end = 0;
    bool operator==(const read_body&) const = default;
};
// QUIT (RFC 1939 section 6): both sets in one transaction, or nothing. UIDs that are gone already are no error.
struct update {
    using answer_type = outcome<accepted>;
    std::vector<std::uint32_t> deleted;    // rising
    std::vector<std::uint32_t> retrieved;  // rising; whole, by RETR, and not deleted
    bool operator==(const update&) const = default;
};

using event = std::variant<login, sasl::scram_begin, sasl::scram_proof, start_tls, open_maildrop, read_body, update>;
using verdict = std::variant<outcome<accepted>, sasl::scram_terms, sasl::scram_verdict, accepted,
                             outcome<std::vector<maildrop_entry>>, outcome<bytes>>;

}  // namespace pp::pop3

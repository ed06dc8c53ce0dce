// The welcome mail in INBOX of a new account (01-product 1.5): the mail client is the user interface, so what a person
// has to know comes as a mail.
#pragma once

#include "crypto/bytes.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace pp::engine {

struct welcome {
    std::string address;             // of the account
    std::string name;                // display name, UTF-8, may be empty
    std::string invite_link;         // attached as text; empty: not mentioned, not attached
    bytes qr_png;                    // attached; may be empty
    std::string vcard;               // attached; may be empty
    std::int64_t unix_seconds = 0;   // Date
    std::array<std::byte, 16> dice{};   // random: makes boundary and Message-ID
};
// RFC 5322 and MIME, ASCII, lines with CRLF and at most 998 bytes. From: peerpost <peerpost@localhost>.
bytes welcome_mail(const welcome& w);

}  // namespace pp::engine

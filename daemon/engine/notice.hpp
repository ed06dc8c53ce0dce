// A mail from peerpost to the user about something only the user can settle (01-product 1.5): what is wrong, why, and
// the command that mends it. Told once: who writes it notes so in the same change.
#pragma once

#include "storage/records.hpp"

#include <array>
#include <string>

namespace pp::engine {

struct notice {
    std::string subject, text;           // UTF-8; lines of the text end with LF
    std::string address, name;           // of the account; the name may be empty
    storage::unix_ms now = 0;
    std::array<std::byte, 16> dice{};    // random: makes the Message-ID
};
// RFC 5322, ASCII, lines with CRLF. From: peerpost <peerpost@localhost>.
bytes notice_mail(const notice& n);

// Two accepted contacts of one name with different keys: somebody has a new account, or pretends to be the other.
notice two_keys_notice(const storage::contact& known, const storage::contact& fresh);
// The contact's node has shown an account record older than one that was known: a clock, an old copy, or a replay.
notice old_record_notice(const storage::contact& c, storage::unix_ms known_made_at);

}  // namespace pp::engine

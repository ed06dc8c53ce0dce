// The card of an account (RFC 2426, vCard 3.0: what every address book reads), attached to the welcome mail.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pp::engine {

struct card {
    std::string name;          // display name, UTF-8; empty: the local part of the address stands in
    std::string address;       // local@label.peerpost.alt
    std::string invite_link;   // may be empty
};
// Lines with CRLF, folded at 75 octets between characters. Values are escaped: none can begin a line of its own.
std::string vcard(const card& c);

// What vcard() writes, and what address books make of it: the invite link when there is one, else the first address of
// peerpost; nullopt: neither stands there. At most card_bytes_max of the text are looked at.
inline constexpr std::size_t card_bytes_max = 64 * 1024;
struct read_card_result {
    std::string contact;      // link or address
    std::string name;         // FN; may be empty
};
std::optional<read_card_result> read_vcard(std::string_view text);

}  // namespace pp::engine

// The card of an account (RFC 2426, vCard 3.0: what every address book reads), attached to the welcome mail.
#pragma once

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

}  // namespace pp::engine

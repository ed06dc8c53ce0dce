// Mail addresses: the bare local@domain of SMTP (RFC 5321 section 4.1.2) and the address lists of headers
// (RFC 5322 section 3.4, groups and comments and obsolete forms included).
#pragma once

#include "proto/mail/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pp::mail {

inline constexpr std::size_t local_part_bytes_max = 64;      // RFC 5321 section 4.5.3.1.1
inline constexpr std::size_t domain_bytes_max = 255;         // RFC 5321 section 4.5.3.1.2
inline constexpr std::size_t header_addresses_max = 10000;   // 06-security 6.1.3: stop parsing there, keep the bytes

// RFC 5321 section 2.4: the local part keeps its case, the domain has none (it is folded to lower case here).
struct address {
    std::string local;
    std::string domain;
    std::string text() const;   // local@domain, the local part quoted where it must be
    bool operator==(const address&) const = default;
};
result<address> parse_address(std::string_view text, bool allow_utf8 = true);

// One element of a header's address list, in the shape of an IMAP ENVELOPE address (RFC 9051 section 7.5.2): a group
// starts with mailbox = its name and no host, and ends with neither. S: std::string, or std::string_view into bytes
// that somebody else holds.
template <class S>
struct basic_header_address {
    std::optional<S> name;                // phrase, quotes and comments removed, encoded words left as sent
    std::optional<S> route;               // obsolete source route
    std::optional<S> mailbox;
    std::optional<S> host;
    bool operator==(const basic_header_address&) const = default;
};
using header_address = basic_header_address<std::string>;
// Never fails: what cannot be understood is left out. Stops after header_addresses_max.
std::vector<header_address> parse_address_list(std::string_view unfolded_value);

}  // namespace pp::mail

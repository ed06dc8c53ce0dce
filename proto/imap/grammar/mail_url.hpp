// The URLs of CATENATE (RFC 4469 section 3, RFC 5092 sections 5 and 7): relative ones that name a mail of this server,
// or a section of it. Pure.
#pragma once

#include "proto/imap/fetch/fetch_section.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pp::imap {

struct mail_url {
    std::string mailbox;                       // UTF-8; empty: the selected one
    std::optional<std::uint32_t> uid_validity;
    std::uint32_t uid = 0;
    fetch_section section;
    std::optional<fetch_partial> partial;      // RFC 5550 section 3.3.1, URL-PARTIAL; count UINT64_MAX: to the end
    bool operator==(const mail_url&) const = default;
};

// "/INBOX;UIDVALIDITY=785799047/;UID=113330/;SECTION=1.5.9/;PARTIAL=0.1024". nullopt: not a URL of that kind.
std::optional<mail_url> parse_mail_url(std::string_view text);

}  // namespace pp::imap

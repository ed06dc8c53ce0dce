// SASL PLAIN (RFC 4616 section 2): one message "authzid NUL authcid NUL passwd". Shared by IMAP and SMTP.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pp::sasl {

// What a mechanism has won from the client. `authorization_id` is empty when the client asks for its own identity.
struct credentials {
    std::string authorization_id;
    std::string user;
    std::string password;
    bool operator==(const credentials&) const = default;
};

inline constexpr std::size_t plain_field_bytes_max = 255;   // RFC 4616 section 2: authcid, passwd and authzid, each

// What every protocol says to wrong credentials, whichever half of them is wrong.
inline constexpr std::string_view refused_text =
    "login name or app password is wrong (peerpost password new makes a new one)";

// The decoded message. Nothing when it is not of the form above: a field too long, no user, no password, NUL inside.
// An authorization id that differs from the user is not judged here:
// a caller that knows no proxies calls acts_for_itself.
std::optional<credentials> parse_plain(std::string_view message);

// True when no other identity than the authenticated one is asked for.
bool acts_for_itself(const credentials& who);

}  // namespace pp::sasl

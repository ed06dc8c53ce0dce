// The SASL mechanisms of this server, by name, for the capability lines of IMAP, SMTP and POP3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pp::sasl {

enum class mechanism { plain, login, scram_sha_256, scram_sha_256_plus };

// In any case of letters. The -PLUS form exists only where a channel (TLS) can be bound to.
std::optional<mechanism> find_mechanism(std::string_view name, bool channel_binding);

// What is offered, each with the prefix and blanks between: "AUTH=PLAIN AUTH=LOGIN ...". PLAIN comes first: clients
// that take the first one they know get the one with which every app password works.
std::string offered_mechanisms(std::string_view prefix, bool channel_binding);

}  // namespace pp::sasl

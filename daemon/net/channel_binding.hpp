// Channel bindings of a TLS connection (RFC 5929, RFC 9266), for SCRAM with -PLUS.
#pragma once

#include "crypto/bytes.hpp"

#include <openssl/ssl.h>

#include <optional>
#include <string_view>

namespace pp::net {

// The side of the server. Nothing for a type that this connection does not have.
std::optional<bytes> channel_binding_of(SSL* tls, std::string_view type);

}  // namespace pp::net

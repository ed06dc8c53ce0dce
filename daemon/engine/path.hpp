// The ways two nodes are joined, in the words of `status`.
#pragma once

#include "daemon/engine/endpoints.hpp"
#include "proto/relay/limits.hpp"

#include <string_view>

namespace pp::engine {

enum class path : std::uint8_t { direct, lan, ipv6, mapped, punched, relay };
constexpr std::string_view to_string(path p) {
    constexpr std::string_view words[] = {"direct", "lan", "ipv6", "mapped", "punched", "relay"};
    return words[static_cast<std::size_t>(p)];
}

// Of a connection to a listener. local, remote: addresses of its two ends here; mapped: we were dialled, and our router
// has a way in for us.
inline path path_of(std::string_view local, std::string_view remote, bool mapped) {
    if (kind_of(remote) != address_kind::global) return path::lan;
    if (remote.find(':') != remote.npos) return path::ipv6;
    // Whom the router lets in comes to an address that is none of the internet.
    return mapped && kind_of(local) != address_kind::global ? path::mapped : path::direct;
}

// Of two ways to one peer: a direct one is better than a circuit, all direct ones are alike.
constexpr bool is_better(path a, path b) { return a != path::relay && b == path::relay; }

// A circuit carries so much of a mail at once and crawls from then on (proto/relay/limits.hpp): a larger one that goes
// that way and has not come in time goes to the relay as well, and its recipient takes it there.
inline constexpr std::uint64_t circuit_mail_bytes_max = relay::circuit_burst_bytes;
constexpr bool crawls(path p, std::uint64_t cipher_bytes) {
    return p == path::relay && cipher_bytes > circuit_mail_bytes_max;
}

}  // namespace pp::engine

// Where nodes are: "host:port" texts, in which order to try them, which of our own to tell (04-network 4.5.4, 4.5.6).
// Pure; the addresses of interfaces are given.
#pragma once

#include "crypto/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pp::engine {

struct endpoint {
    std::string host;               // IPv4, IPv6 without brackets, or a DNS name
    std::uint16_t port = 0;
    bool may_be_here = true;        // a name may turn out to be an address of loopback: nobody else has told it
    bool operator==(const endpoint&) const = default;
};
// "host:port" or "[v6]:port"; nullopt for everything else, port 0 too.
std::optional<endpoint> parse_endpoint(std::string_view text);
std::string format(const endpoint& e);

// local: RFC 1918, RFC 4193, RFC 6598
enum class address_kind { name, global, local, link_local, loopback, unspecified, multicast };
address_kind kind_of(std::string_view host);
// A name too: what it stands for is looked at when it is known.
bool may_be_dialled(std::string_view host, bool loopback_too);

// What is known of a peer's whereabouts, in the order it is tried: discovered on the LAN, what worked before,
// found in the DHT, its record.
struct known_endpoints {
    std::vector<std::string> lan, last_good, found, record;
};
inline constexpr std::size_t candidates_max = 16;
// Each once and only what can be dialled. What others write into records cannot make us dial our own services: loopback
// only when may_dial_loopback (our own listener is there, so nodes of one machine talk), never link-local, unspecified
// or multicast addresses; nor can a name that stands for one of these.
std::vector<endpoint> candidates(const known_endpoints& known, bool may_dial_loopback);

// Our endpoints for the record, best first: what the configuration names, then global, then local addresses of the
// interfaces a listener covers ("0.0.0.0", "::" or one address each). Loopback only when a listener is bound to it by
// name, or when nothing else is there. Link-local never.
std::vector<std::string> own_endpoints(const std::vector<std::string>& configured,
                                       const std::vector<std::string>& listener_hosts, std::uint16_t port,
                                       const std::vector<std::string>& interface_addresses);

}  // namespace pp::engine

// The addresses of this machine's network interfaces, and the endpoints an account may tell others.
#pragma once

#include "daemon/services/config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pp::services {

// Numeric addresses of the interfaces that are up, without scope and without link-local ones.
std::vector<std::string> interface_addresses();
// The numbers of those that are up and speak IPv6.
std::vector<unsigned> ipv6_interfaces();
// The IPv4 address of this machine's router. nullopt: there is none, or the system does not tell (no /proc/net/route).
std::optional<std::string> default_gateway();
// "host:port" for each way to reach the peer listener, best first; see engine/endpoints for the rule. `mapped`: ways in
// through the router, which come first.
std::vector<std::string> own_endpoints(const std::vector<listen_address>& listeners,
                                       const std::vector<std::string>& mapped = {});

}  // namespace pp::services

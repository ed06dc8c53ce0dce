// The addresses of this machine's network interfaces, and the endpoints an account may tell others.
#pragma once

#include "daemon/services/config.hpp"

#include <string>
#include <vector>

namespace pp::services {

// Numeric addresses of the interfaces that are up, without scope and without link-local ones.
std::vector<std::string> interface_addresses();
// "host:port" for each way to reach the peer listener, best first; see engine/endpoints for the rule.
std::vector<std::string> own_endpoints(const std::vector<listen_address>& listeners);

}  // namespace pp::services

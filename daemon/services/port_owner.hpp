// Who listens on a TCP port of this machine, for the sentence about a taken port (01-product 1.7).
#pragma once

#include <cstdint>
#include <string>

namespace pp::services {

// "dovecot, process 812" or "user 105" when the process cannot be seen; empty when nothing is known. Only on Linux.
std::string port_owner(std::uint16_t port);

}  // namespace pp::services

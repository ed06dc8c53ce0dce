// Port mapping by UPnP IGD, through libminiupnpc. Every function here blocks, for seconds: never on the network thread.
// Only the machine's own router is spoken to: other devices of the LAN may answer the search, too, and could name any
// address as theirs.
#pragma once

#include "proto/portmap/mapping.hpp"

#include <cstdint>
#include <string>
#include <variant>

namespace pp::net {

struct upnp_mapping {
    portmap::transport what = portmap::transport::tcp;
    std::string control_url, service, own_address;   // of the gateway; how it sees us
    std::string external_address;
    std::uint16_t external_port = 0;
    std::uint32_t lease_s = 0;                        // 0: until taken away; such gateways know no leases
};
// Maps the port, or renews the mapping `before` (external_port 0: none). A sentence when there is none to be had.
std::variant<upnp_mapping, std::string> upnp_map(const std::string& gateway, std::uint16_t port,
                                                 const upnp_mapping& before);
void upnp_unmap(const upnp_mapping& mapping);

}  // namespace pp::net

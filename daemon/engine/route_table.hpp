// The router of this machine, out of the kernel's table of routes as Linux shows it (/proc/net/route). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pp::engine {

// The IPv4 address of the router that has everything no other route has; of several the one with the smallest metric.
// nullopt: there is none, or the text is no such table.
std::optional<std::string> default_gateway(std::string_view route_table);

}  // namespace pp::engine

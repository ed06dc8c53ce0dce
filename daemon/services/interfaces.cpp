#include "daemon/services/interfaces.hpp"

#include "daemon/engine/endpoints.hpp"
#include "daemon/engine/route_table.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

namespace pp::services {

std::vector<std::string> interface_addresses() {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(list, &freeifaddrs);
    std::vector<std::string> out;
    for (const auto* i = list; i; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP)) continue;
        char text[INET6_ADDRSTRLEN] = "";
        if (i->ifa_addr->sa_family == AF_INET) {
            inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(i->ifa_addr)->sin_addr, text, sizeof text);
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            const auto& address = reinterpret_cast<const sockaddr_in6*>(i->ifa_addr)->sin6_addr;
            if (IN6_IS_ADDR_LINKLOCAL(&address)) continue;   // means nothing without its interface
            inet_ntop(AF_INET6, &address, text, sizeof text);
        }
        if (*text) out.emplace_back(text);
    }
    return out;
}

std::vector<unsigned> ipv6_interfaces() {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(list, &freeifaddrs);
    std::vector<unsigned> out;
    for (const auto* i = list; i; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || i->ifa_addr->sa_family != AF_INET6) continue;
        const auto number = if_nametoindex(i->ifa_name);
        if (number != 0 && std::find(out.begin(), out.end(), number) == out.end()) out.push_back(number);
    }
    return out;
}

std::optional<std::string> default_gateway() {
    std::ifstream table("/proc/net/route");
    std::ostringstream text;
    text << table.rdbuf();
    return engine::default_gateway(text.str());
}

std::vector<std::string> own_endpoints(const std::vector<listen_address>& listeners,
                                       const std::vector<std::string>& mapped) {
    // Listeners share a port as a rule; those that do not are told one after the other.
    std::vector<std::string> out;
    std::vector<std::uint16_t> ports;
    for (const auto& l : listeners)
        if (l.port != 0 && std::find(ports.begin(), ports.end(), l.port) == ports.end()) ports.push_back(l.port);
    const auto addresses = interface_addresses();
    for (const auto port : ports) {
        std::vector<std::string> hosts;
        for (const auto& l : listeners)
            if (l.port == port) hosts.push_back(l.address);
        const auto some =
            engine::own_endpoints(out.empty() ? mapped : std::vector<std::string>(), hosts, port, addresses);
        out.insert(out.end(), some.begin(), some.end());
    }
    return out;
}

}  // namespace pp::services
